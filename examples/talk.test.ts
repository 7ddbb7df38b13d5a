import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { startServer } from '../reference-server/compose.js';
import { loadConfig } from '../reference-server/config/config.js';
import { packageRoot } from '../support/package-root.js';

const talk = join(packageRoot(), 'examples/talk.mjs');

function talker(url: string) {
  const program = spawn(process.execPath, ['--experimental-websocket', '--no-warnings', talk, url]);
  const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => ((await lines.next()) as { value: string }).value;
  return { program, next };
}

await t.test('two people talk in the lobby, and each sibling tells that its pipe is open', async (t) => {
  const server = await startServer({ ...loadConfig(undefined, { port: 0 }), logLevel: 'fatal' });
  t.teardown(() => server.drain());
  const [ann, ben] = [talker(server.url), talker(server.url)];
  for (const { next } of [ann, ben]) {
    t.match(await next(), /^sibling: bound/);
    t.match(await next(), /^sibling: pipe\.opened .*"room":"lobby"/);
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
});
