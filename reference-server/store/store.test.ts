import { cpSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import t, { type Test } from 'tap';
import { StoreError } from './error.js';
import { GroupCommit } from './level/group-commit.js';
import { openLevelStore } from './level/store.js';
import { MemoryStore } from './memory.js';
import { decodeRoom, encodeRoom } from './record.js';
import { storeContract, storedRoom } from './testing/contract.js';

storeContract('memory', () => {
  const records = new Map<string, string>();
  return { open: () => Promise.resolve(new MemoryStore(records)) };
});

storeContract('level', (t) => {
  const folder = join(t.testdir(), 'data', 'rooms');
  return { open: () => openLevelStore(folder) };
});

/** A folder with some rooms in it, let go of. */
async function filled(t: Test, rooms = 3): Promise<string> {
  const folder = join(t.testdir(), 'rooms');
  const store = await openLevelStore(folder);
  for (let n = 0; n < rooms; n++) await store.put(storedRoom(`room-${String(n)}`));
  await store.close();
  return folder;
}

const refusal = (folder: string): Promise<string> =>
  openLevelStore(folder).then(
    (store) => store.close().then(() => 'opened'),
    (error: unknown) => (error instanceof StoreError ? error.message : `not a refusal: ${String(error)}`),
  );

/** Alters the database behind the store's back. */
async function tamper(folder: string, change: (level: ClassicLevel) => Promise<void>): Promise<void> {
  const level = new ClassicLevel(folder);
  await change(level);
  await level.close();
}

void t.test('a store that somebody has open is left alone, and said to be', async (t) => {
  const folder = await filled(t);
  const store = await openLevelStore(folder);
  t.match(await refusal(folder), /rooms: another process has this store open$/);
  await store.put(storedRoom('after'));
  await store.close();
  t.equal(await refusal(folder), 'opened');
  t.equal(statSync(folder).mode & 0o077, 0, 'and it is nobody else’s to read');
});

void t.test('a store that has lost or altered anything is not opened', async (t) => {
  const record = encodeRoom(storedRoom('room-1'));
  const rows: readonly (readonly [what: string, says: RegExp, change: (level: ClassicLevel) => Promise<void>])[] = [
    ['a room is gone', /is damaged/, (level) => level.del('room/room-1')],
    ['a room came back', /is damaged/, (level) => level.put('room/room-9', record)],
    ['an owner was altered', /is damaged/, (level) => level.put('room/room-1', record.replace('first', 'last'))],
    ['the sum is gone', /is damaged/, (level) => level.del('contents')],
    ['what else there is', /holds "settings", which this server does not know/, (level) => level.put('settings', '{}')],
    ['a newer room', /room room-1 is kept in version 2, and this/, (l) => l.put('room/room-1', '{"v":2}')],
    ['an older room', /room room-1 is kept in version undefined/, (level) => level.put('room/room-1', '{}')],
    ['no room at all', /room room-1: what is kept of it is no record/, (level) => level.put('room/room-1', 'null')],
  ];
  for (const [what, says, change] of rows) {
    const folder = await filled(t);
    await tamper(folder, change);
    t.match(await refusal(folder), says, what);
    rmSync(folder, { recursive: true });
  }
});

void t.test('files that are damaged or missing are said to be, never passed over', async (t) => {
  const whole = await filled(t, 200);
  await openLevelStore(whole).then((store) => store.close()); // the log becomes a table
  const files = readdirSync(whole);
  const table = files.find((file) => file.endsWith('.ldb')) ?? '';
  t.ok(table);
  const flip = (file: string, from: number): void => {
    const bytes = readFileSync(file);
    for (let at = Math.floor(bytes.length * from); at < bytes.length; at += 97) bytes[at] = (bytes[at] ?? 0) ^ 0xff;
    writeFileSync(file, bytes);
  };
  const rows: readonly (readonly [what: string, change: (copy: string) => void])[] = [
    ['table flipped', (copy) => flip(join(copy, table), 0.2)],
    ['table gone', (copy) => rmSync(join(copy, table))],
    ['CURRENT gone', (copy) => rmSync(join(copy, 'CURRENT'))],
    ['CURRENT nonsense', (copy) => writeFileSync(join(copy, 'CURRENT'), 'nonsense\n')],
    ['manifest flipped', (copy) => flip(join(copy, files.find((file) => file.startsWith('MANIFEST')) ?? ''), 0)],
  ];
  for (const [what, change] of rows) {
    const copy = `${whole}-${what.replaceAll(' ', '-')}`;
    cpSync(whole, copy, { recursive: true });
    change(copy);
    t.match(await refusal(copy), /cannot be opened|is damaged|is no record/, what);
  }
  t.equal(await refusal(whole), 'opened');
});

void t.test(
  'a hole in the middle of the log is noticed, and a torn end is as if it had never been begun',
  async (t) => {
    const folder = join(t.testdir(), 'rooms');
    const store = await openLevelStore(folder);
    for (let n = 0; n < 100; n++) await store.put(storedRoom(`room-${String(n)}`));
    const [holed, torn] = [`${folder}-holed`, `${folder}-torn`];
    for (const copy of [holed, torn]) cpSync(folder, copy, { recursive: true }); // as kill -9 would leave it
    await store.close();
    const log = readdirSync(folder).find((file) => file.endsWith('.log')) ?? '';
    const bytes = readFileSync(join(holed, log));
    writeFileSync(join(torn, log), bytes.subarray(0, bytes.length - 10));
    bytes.fill(0xff, 2000, 2100);
    writeFileSync(join(holed, log), bytes);
    t.match(await refusal(holed), /is damaged/);
    const again = await openLevelStore(torn);
    t.same(
      new Set(again.kept.map(({ name }) => name)),
      new Set(Array.from({ length: 99 }, (_, n) => `room-${String(n)}`)),
    );
    await again.close();
  },
);

void t.test('a record is read as it was written or not at all', (t) => {
  const good = JSON.parse(encodeRoom(storedRoom('a'))) as Record<string, unknown>;
  t.strictSame(decodeRoom('a', JSON.stringify(good)), storedRoom('a'));
  const bad: readonly [change: Record<string, unknown>, says: RegExp][] = [
    [{ v: 0 }, /version 0/],
    [{ v: '1' }, /version "1"/],
    [{ owner: null }, /no owner/],
    [{ rev: 1.5 }, /no rev/],
    [{ spec: null }, /its spec is at fault/],
    [{ spec: { ...(good['spec'] as object), visibility: 'open' } }, /at fault at \/visibility/],
  ];
  for (const [change, says] of bad) {
    t.throws(() => decodeRoom('a', JSON.stringify({ ...good, ...change })), { constructor: StoreError, message: says });
  }
  t.throws(() => decodeRoom('a', '{"v":1'), { constructor: StoreError, message: /no record/ });
  t.end();
});

/** A disk whose writes end when the test says so. */
class SlowDisk {
  readonly groups: (readonly string[])[] = [];
  readonly #ends: ((error?: Error) => void)[] = [];

  readonly write = (changes: readonly string[]): Promise<void> => {
    this.groups.push(changes);
    return new Promise((resolve, reject) => {
      this.#ends.push((error) => (error ? reject(error) : resolve()));
    });
  };

  async end(error?: Error): Promise<void> {
    this.#ends.shift()?.(error);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

void t.test(
  'changes that come during a write are written together, in order, and answered when they are',
  async (t) => {
    const disk = new SlowDisk();
    const commit = new GroupCommit(disk.write);
    const done: string[] = [];
    const add = (change: string): void => void commit.add(change).then(() => done.push(change));
    add('a');
    await disk.end();
    for (const change of ['b', 'c', 'd']) add(change);
    t.same([disk.groups, done], [[['a']], []], 'nothing is answered before it is written');
    await disk.end();
    t.same([disk.groups, done], [[['a'], ['b', 'c', 'd']], ['a']]);
    await disk.end();
    t.same(done, ['a', 'b', 'c', 'd']);
    add('e');
    await disk.end();
    t.same(disk.groups.at(-1), ['e']);
    await disk.end();
    await commit.settled();
    t.same(done.at(-1), 'e');
  },
);

void t.test('after a write that failed nothing is written any more', async (t) => {
  const disk = new SlowDisk();
  const commit = new GroupCommit(disk.write);
  const results: string[] = [];
  const add = (change: string): void =>
    void commit.add(change).then(
      () => results.push(`${change} written`),
      (error: unknown) => results.push(`${change}: ${(error as Error).message}`),
    );
  add('a');
  await disk.end();
  add('b');
  await disk.end(new Error('no space'));
  add('c');
  await disk.end();
  t.same(results, ['a: no space', 'b: no space', 'c: no space']);
  t.same(disk.groups, [['a']]);
  await commit.settled();
});
