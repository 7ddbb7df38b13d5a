import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { startServer } from '../reference-server/compose.js';
import { loadConfig } from '../reference-server/config/config.js';
import { packageRoot } from '../support/package-root.js';

const EXAMPLES = join(packageRoot(), 'examples');
const SCRIPT = join(packageRoot(), 'reference-server/testing/python-websockets.py');
const NODE = [process.execPath, '--experimental-websocket', '--no-warnings', join(EXAMPLES, 'talk.mjs')];

/** Python leaves no compiled modules in the source tree. */
const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
/** The one of the machine's Pythons that has the package: Debian puts it where its own looks. */
const python = ['python3', '/usr/bin/python3'].find(
  (each) => spawnSync(each, ['-c', 'import websockets'], { env }).status === 0,
);
const skip = python !== undefined || process.env.CI === 'true' ? {} : { skip: 'Python has no websockets here' };

function talker(url: string, [command = '', ...args]: readonly string[]) {
  const program = spawn(command, [...args, url], { env });
  const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => ((await lines.next()) as { value: string }).value;
  return { program, next };
}

/** Two people, each by a program, in the lobby. */
async function conversation(t: Test, first: readonly string[], second: readonly string[]): Promise<void> {
  const server = await startServer({ ...loadConfig(undefined, { port: 0 }), logLevel: 'fatal' });
  t.teardown(() => server.drain());
  const [ann, ben] = [talker(server.url, first), talker(server.url, second)];
  for (const { next } of [ann, ben]) {
    t.match(await next(), /^sibling: bound/);
    t.match(await next(), /^sibling: pipe\.opened .*"room": ?"lobby"/);
  }
  ann.program.stdin.write('hello Ben\n');
  t.equal(await ben.next(), 'hello Ben');
  ben.program.stdin.write('hello Ann\n');
  t.equal(await ann.next(), 'hello Ann');
  for (const { program } of [ann, ben]) {
    program.stdin.end();
    const [code] = (await once(program, 'exit')) as [number];
    t.equal(code, 0, 'it ends when its input does');
  }
}

await t.test('two people talk in the lobby, and each sibling tells that its pipe is open', (t) =>
  conversation(t, NODE, NODE),
);

await t.test("somebody in Python talks with somebody in JavaScript, by Python's websockets", skip, (t) =>
  conversation(t, [python ?? 'python3', join(EXAMPLES, 'talk.py')], NODE),
);

await t.test("Python's websockets finds pipe and sibling as they should be", skip, async (t) => {
  const server = await startServer({ ...loadConfig(undefined, { port: 0 }), logLevel: 'fatal' });
  t.teardown(() => server.drain());
  const args = [SCRIPT, EXAMPLES, server.url, 'lobby'];
  const { stdout } = await promisify(execFile)(python ?? 'python3', args, { env });
  t.equal(stdout, 'done\n');
});
