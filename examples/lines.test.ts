import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import t from 'tap';
import { startServer } from '../reference-server/compose.js';
import { loadConfig } from '../reference-server/config/config.js';
import type { Discovery } from '../generated/types.js';
import { packageRoot } from '../support/package-root.js';

const program = join(packageRoot(), 'examples/lines.mjs');

function talker(address: string) {
  const talking = spawn(process.execPath, [program, address]);
  const lines = createInterface({ input: talking.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => ((await lines.next()) as { value: string }).value;
  return { talking, next };
}

await t.test(
  'two programs with nothing but TCP talk in lines, and hear on when they have said everything',
  async (t) => {
    const server = await startServer({ ...loadConfig(undefined, { port: 0 }), logLevel: 'fatal' });
    const discovery = (await (await fetch(`${server.url}/.well-known/porthouse`)).json()) as Discovery;
    const address = String(discovery.endpoints.pipe.tcp);
    const [ann, ben] = [talker(address), talker(address)];
    t.teardown(async () => {
      for (const { talking } of [ann, ben]) talking.kill();
      await server.drain();
    });
    // Whoever is not there yet hears nothing: they say it until it is heard.
    const calling = setInterval(() => ann.talking.stdin.write('hello Ben\n'), 50);
    t.equal(await ben.next(), 'hello Ben');
    clearInterval(calling);
    ann.talking.stdin.end();
    ben.talking.stdin.write('hello Ann\n');
    t.equal(await ann.next(), 'hello Ann');
  },
);
