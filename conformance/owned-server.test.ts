import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { packageRoot } from '../support/package-root.js';

const TARGET = pathToFileURL(join(packageRoot(import.meta.url), 'dist', 'conformance', 'target.js')).href;
const LOOK_MS = 20;

/** Looks again and again; a test that waits in vain runs into the limit of its file. */
async function until(come: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await come())) await pause(LOOK_MS);
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const listens = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => true,
    () => false,
  );

/** A process that starts servers as the kit does, in the words of a module. */
function kit(t: Test, words: string) {
  const code = `import { startCommand, startReferenceServer } from ${JSON.stringify(TARGET)};\n${words}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => String((await lines.next()).value);
  const end = async (how: NodeJS.Signals): Promise<void> => {
    child.kill(how);
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  };
  return { line, end };
}

const START = 'const server = await startReferenceServer();';
const AGAIN = "await server.end('kill', 0); await server.start();";
const STAY = 'console.log(server.url.href); setInterval(() => {}, 1000);';

void t.test('a kit that is killed leaves no server behind, nor one that it has started again', async (t) => {
  for (const [signal, words] of [
    ['SIGKILL', START + AGAIN + STAY],
    ['SIGTERM', START + STAY],
  ] as const) {
    const { line, end } = kit(t, words);
    const url = await line();
    t.ok(await listens(url), `${signal}: it is there`);
    await end(signal);
    await until(async () => !(await listens(url)));
  }
});

void t.test('nor one that has not said its address yet, nor what a command has started besides', async (t) => {
  const file = join(t.testdir({}), 'pids');
  const command = `sleep 1000 & echo "$$ $!" > ${file}.new; mv ${file}.new ${file}; wait`;
  const words = `const starting = startCommand(${JSON.stringify(command)}); console.log('begun'); await starting;`;
  const { line, end } = kit(t, words);
  await line();
  await until(() => existsSync(file));
  const pids = readFileSync(file, 'utf8').trim().split(' ').map(Number);
  t.equal(pids.length, 2);
  for (const pid of pids) t.ok(lives(pid));
  await end('SIGKILL');
  for (const pid of pids) await until(() => !lives(pid));
});
