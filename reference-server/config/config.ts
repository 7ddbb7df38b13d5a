import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type LimitName, limits as LIMITS } from '../../generated/limits.js';
import { settings } from '#settings';
import type { Limits, RoomSpec } from '../../generated/types.js';
import { validate } from '../../generated/validate.js';
import { faultPointer } from '../../support/fault.js';
import type { TokenRules } from '../ports/access.js';
import type { PortRange } from '../ports/sockets.js';
import { ConfigError } from './error.js';
import { type Naked, type NakedFile, nakedOf } from './naked.js';

export { ConfigError };
export type { Naked };

/** The settings of a server; `config.schema.json` documents each. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly adminPort: number;
  /** Where pipes over UDP come in; null: nowhere. */
  readonly udp: { readonly port: number } | null;
  /** Endpoints without tickets, each for one room. */
  readonly naked: readonly Naked[];
  readonly tlsTerminatedByProxy: boolean;
  readonly hosts: readonly string[];
  readonly origins: readonly string[];
  readonly logLevel: string;
  /** Folder of what survives a restart; null: nothing does. */
  readonly dataDir: string | null;
  readonly auth: TokenRules | null;
  /** Certificate and key of every transport; null: none of them speaks TLS. */
  readonly tls: TlsFiles | null;
  /** Where FTP listens; null: nowhere. */
  readonly ftp: FtpEntry | null;
  /** Where pipes and siblings over TCP come in; null: nowhere. */
  readonly tcp: { readonly port: number } | null;
  readonly limits: Readonly<Required<Limits>>;
  readonly rooms: Readonly<Record<string, RoomSpec>>;
  /** Whether messages may be posted from web forms. */
  readonly form: boolean;
  /** Hooks for tests, for whoever has the token; null without any. */
  readonly testHooks: { readonly token: string } | null;
}

/** Paths of PEM files. */
export interface TlsFiles {
  /** The server's certificate, followed by those that lead to its issuer. */
  readonly certFile: string;
  readonly keyFile: string;
}

/** A way in beside HTTP, as it is written. */
type EntryFile = { readonly port?: number } | boolean | null;

/** Where control connections of FTP come in, and its data connections. */
interface FtpEntry {
  readonly port: number;
  /** What PASV names; null: the address at which the control connection came in. */
  readonly passiveAddress: string | null;
  /** Ports of data connections; null: any free ones. */
  readonly passivePorts: PortRange | null;
}

type FtpFile =
  | { readonly port?: number; readonly passiveAddress?: string; readonly passivePorts?: readonly [number, number] }
  | false
  | null;

type ConfigFile = Partial<Omit<Config, 'limits' | 'tcp' | 'udp' | 'ftp' | 'naked'>> & {
  readonly limits?: Partial<Limits>;
  readonly tcp?: EntryFile;
  readonly udp?: EntryFile;
  readonly ftp?: FtpFile;
  readonly naked?: readonly NakedFile[];
};

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

/** The room that development mode offers, so that the first try needs nothing. */
const LOBBY = { lobby: { anonymous: { send: true, receive: true } } };

/** Usual port of pipes and siblings over TCP. */
const TCP_PORT = 8791;
const FTP_PORT = 8721;

const DEFAULTS = {
  host: '127.0.0.1',
  port: 8790,
  adminPort: 0,
  tlsTerminatedByProxy: false,
  hosts: [] as readonly string[],
  origins: [],
  logLevel: 'info',
  auth: null,
  tls: null,
  form: true,
  testHooks: null,
  dataDir: null as string | null,
};

const UDP_PORT = 8792;

function readConfigFile(file: string): ConfigFile {
  const value = parseFile(file);
  if (!settings(value)) {
    const error = settings.errors?.[0];
    const extra = (error?.params as { additionalProperty?: string } | undefined)?.additionalProperty;
    const where = `${error?.instancePath ?? ''}${extra === undefined ? '' : `/${extra}`}` || '/';
    throw new ConfigError(
      `${file}: ${where}: ${extra === undefined ? (error?.message ?? 'invalid') : 'is not a setting'}`,
    );
  }
  return value as ConfigFile;
}

function parseFile(file: string): unknown {
  try {
    return (parse(readFileSync(file, 'utf8')) as unknown) ?? {};
  } catch (error) {
    throw new ConfigError(`${file}: ${(error as Error).message.split('\n', 1)[0] ?? ''}`);
  }
}

const isLimit = (name: string): name is LimitName => Object.hasOwn(LIMITS, name);

/** Rooms have the same spec here as where a client creates one. */
function checkRooms(rooms: Readonly<Record<string, unknown>>): void {
  const check = validate['common/room-spec'];
  for (const [name, spec] of Object.entries(rooms)) {
    if (!check(spec)) throw new ConfigError(`rooms/${name}${faultPointer(check.errors)}: is not as a room spec has it`);
  }
}

function limitsOf(asked: Partial<Limits> | undefined): Required<Limits> {
  const limits: Record<string, number> = {};
  for (const [name, { default: usual }] of Object.entries(LIMITS)) limits[name] = usual;
  for (const [name, value] of Object.entries(asked ?? {})) {
    if (!isLimit(name)) throw new ConfigError(`limits.${name}: there is no such limit`);
    const range = LIMITS[name];
    if (value < range.minimum || value > range.maximum) {
      throw new ConfigError(
        `limits.${name}: ${String(value)} is not within ${String(range.minimum)}..${String(range.maximum)}`,
      );
    }
    limits[name] = value;
  }
  const effective = limits as unknown as Required<Limits>;
  if (effective.maxMessageBytes <= effective.hardMessageBytes) return effective;
  throw new ConfigError('limits.maxMessageBytes: is more than limits.hardMessageBytes');
}

/**
 * Where a way in beside HTTP is: what is asked for, or its usual port on loopback. Off loopback it has to be asked for; a
 * server on another port than the usual one takes any free port for it as well, so that two go side by side.
 */
function entryOf(
  asked: EntryFile | undefined,
  { usual, host, port }: { readonly usual: number; readonly host: string; readonly port: number },
): { port: number } | null {
  if (asked === null || asked === false) return null;
  if (asked === undefined && !LOOPBACK.includes(host)) return null;
  const own = typeof asked === 'object' ? asked.port : undefined;
  return { port: own ?? (port === DEFAULTS.port ? usual : 0) };
}

/** FTP, with what was left out. */
function ftpOf(
  asked: FtpFile | undefined,
  given: Pick<Config, 'host' | 'port' | 'tls' | 'tlsTerminatedByProxy'>,
): FtpEntry | null {
  // A proxy for HTTP does not end the TLS of FTP (FTP-37).
  if (given.tlsTerminatedByProxy && !given.tls && asked === undefined) return null;
  const entry = entryOf(asked, { ...given, usual: FTP_PORT });
  if (!entry) return null;
  const { passiveAddress = null, passivePorts } = asked || {};
  const [first = 0, last = 0] = passivePorts ?? [];
  if (first > last) throw new ConfigError('ftp/passivePorts: the first is beyond the last');
  return { ...entry, passiveAddress, passivePorts: passivePorts ? { first, last } : null };
}

/** Settings from a file (none: development mode) and from the command line, which wins. */
export function loadConfig(
  file: string | undefined,
  overrides: { readonly host?: string; readonly port?: number; readonly dataDir?: string },
): Config {
  const asked = file === undefined ? {} : readConfigFile(file);
  const given = { ...DEFAULTS, ...asked, ...overrides };
  const rooms = asked.rooms ?? (given.auth ? {} : LOBBY);
  checkRooms(rooms);
  const hosts = given.hosts.map((host) => host.toLowerCase());
  const tcp = entryOf(asked.tcp, { ...given, usual: TCP_PORT });
  const udp = entryOf(asked.udp, { ...given, usual: UDP_PORT });
  const ftp = ftpOf(asked.ftp, given);
  const naked = nakedOf(asked.naked ?? [], given);
  const config = { ...given, hosts, rooms, tcp, udp, ftp, naked, limits: limitsOf(asked.limits) };
  if (config.testHooks && (config.tlsTerminatedByProxy || !LOOPBACK.includes(config.host))) {
    throw new ConfigError(
      `host ${config.host}: with \`testHooks\` the server listens on loopback only, without a proxy`,
    );
  }
  if (config.ftp && config.tlsTerminatedByProxy && !config.tls) {
    throw new ConfigError('ftp: behind a proxy FTP needs TLS of its own; set `tls`, or `ftp: false` for none');
  }
  if (LOOPBACK.includes(config.host)) return config;
  if (!config.auth) throw new ConfigError(`host ${config.host}: without \`auth\` the server listens on loopback only`);
  if (!config.tls && !config.tlsTerminatedByProxy) {
    throw new ConfigError(
      `host ${config.host}: off loopback TLS is mandatory; set \`tls\`, or \`tlsTerminatedByProxy\` where a proxy ends it`,
    );
  }
  if (config.ftp && !config.tls) {
    throw new ConfigError(
      `host ${config.host}: off loopback FTP needs TLS of its own; set \`tls\`, or \`ftp: false\` for none`,
    );
  }
  return config;
}
