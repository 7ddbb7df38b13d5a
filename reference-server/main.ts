import { fileURLToPath } from 'node:url';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { startServer } from './compose.js';
import { AuthError } from './auth/error.js';
import { ConfigError, loadConfig } from './config/config.js';
import { openLog, standardError } from './log.js';
import { StoreError } from './store/error.js';

const EXIT_USAGE = 3;
const PORTS = 65536;

interface ServeOptions {
  readonly config?: string;
  readonly host?: string;
  readonly port?: number;
  readonly dataDir?: string;
}

function port(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value >= PORTS) throw new InvalidArgumentError('a port is a number from 0 to 65535');
  return value;
}

/** What went wrong at start-up, in one line that its reader can act on. */
function reason(error: unknown): string {
  const { code, message: lines } = error as NodeJS.ErrnoException;
  const message = lines.replace(/\s+/g, ' ');
  if (code === 'EADDRINUSE')
    return `${message}: another program listens there; choose another with --port; the other transports then take any free one`;
  return message;
}

/** Node's own last words may find no room where the log is read late; the log waits for it. */
const crashed = (error: unknown): void => openLog('fatal').fatal({ err: error }, 'the server ends by its own fault');

async function serve({ config: file, ...overrides }: ServeOptions): Promise<void> {
  try {
    const server = await startServer(loadConfig(file, overrides));
    process.stdout.on('error', () => undefined); // whoever started it need not stay to read
    process.stdout.write(`${server.url}\n`);
    process.on('uncaughtExceptionMonitor', crashed);
    const stop = (): void => void server.drain().then(() => process.exit(0));
    process.once('SIGTERM', stop).once('SIGINT', stop);
  } catch (error) {
    const ours = error instanceof ConfigError || error instanceof AuthError || error instanceof StoreError;
    if (!ours && (error as NodeJS.ErrnoException).code === undefined) throw error;
    standardError().write(`porthouse serve: ${reason(error)}\n`);
    process.exitCode = EXIT_USAGE;
  }
}

/** Adds `serve` to a command line. */
export function registerServe(program: Command): void {
  program
    .command('serve', { isDefault: program.name() === 'porthouse-serve' })
    .description('run the reference server')
    .option('--config <file>', 'settings, as JSON or YAML; see examples/porthouse.yaml')
    .option('--host <address>', 'address to listen on')
    .option('--port <number>', 'port to listen on; 0 picks a free one', port)
    .option('--data-dir <folder>', 'folder of persistent rooms; without it there are none')
    .action(serve);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const program = new Command('porthouse-serve').exitOverride();
  registerServe(program);
  program.parseAsync().catch((error: unknown) => {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
  });
}
