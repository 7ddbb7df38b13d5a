import t, { type Test } from 'tap';
import type { Store, StoredRoom } from '../../ports/store.js';

/** A place that a store can be opened over, again and again. */
export interface Place {
  open(): Promise<Store>;
}

/** A room that differs from the defaults in everything that a spec has. */
export function storedRoom(name: string, more: Partial<StoredRoom> = {}): StoredRoom {
  const spec: StoredRoom['spec'] = {
    visibility: 'private',
    lifetime: 'persistent',
    format: 'json',
    onMismatch: 'convert',
    boundaries: 'kept',
    anonymous: { send: true, receive: false },
    echo: true,
    slowConsumer: 'close',
    limits: { maxMessageBytes: 64, maxMembers: 3, maxQueuedMessages: 5, maxQueuedBytes: 700 },
  };
  return { name, owner: 'älice "the first"\n\u{1F6A2}', rev: 7, spec, ...more };
}

const byName = (rooms: readonly StoredRoom[]): StoredRoom[] =>
  [...rooms].sort((one, other) => (one.name < other.name ? -1 : 1));

/** What every store does, whatever it keeps rooms on. */
export function storeContract(name: string, place: (t: Test) => Place): void {
  void t.test(`${name}: what was put is there after the store was opened again, to the last member`, async (t) => {
    const { open } = place(t);
    const first = await open();
    t.same(first.kept, []);
    const rooms = ['a', 'constructor', 'z'.repeat(63)].map((each) => storedRoom(each));
    await Promise.all(rooms.map((room) => first.put(room)));
    await first.close();
    const second = await open();
    t.strictSame(byName(second.kept), byName(rooms));
    await second.close();
  });

  void t.test(`${name}: of several changes of a room the last counts, whenever it was asked for`, async (t) => {
    const { open } = place(t);
    const first = await open();
    await first.put(storedRoom('changed', { rev: 1 }));
    await first.put(storedRoom('removed'));
    await Promise.all([
      first.remove('never-there'),
      first.put(storedRoom('changed', { rev: 2 })),
      first.put(storedRoom('changed', { owner: 'bob', rev: 3 })),
      first.remove('removed'),
      first.put(storedRoom('came-and-went')),
      first.remove('came-and-went'),
      first.remove('back'),
      first.put(storedRoom('back', { rev: 9 })),
    ]);
    await first.close();
    const second = await open();
    t.strictSame(byName(second.kept), [
      storedRoom('back', { rev: 9 }),
      storedRoom('changed', { owner: 'bob', rev: 3 }),
    ]);
    await second.remove('back');
    await second.close();
    const third = await open();
    t.same(
      third.kept.map((room) => room.name),
      ['changed'],
    );
    await third.close();
  });

  void t.test(`${name}: closing waits for what is under way`, async (t) => {
    const { open } = place(t);
    const first = await open();
    const writing = Array.from({ length: 50 }, (_, n) => first.put(storedRoom(`room-${String(n)}`)));
    await first.close();
    await Promise.all(writing);
    const second = await open();
    t.equal(second.kept.length, 50);
    await second.close();
  });
}
