import { readFileSync } from 'node:fs';

/** Which way something went, seen from the kit. */
export type Direction = 'in' | 'out';

/** Anything that JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The start of a file: what all runs have in common. Its `run` is `*`. */
export interface SuiteBody {
  readonly type: 'suite';
  readonly suite: string;
  readonly url: string;
  readonly discovery: Json;
  readonly seed: number;
  /** Profiles that were to be tested. */
  readonly tested: readonly string[];
}

/** The start of a run: what the judge must know beside what was seen. */
export interface RunBody {
  readonly type: 'run';
  readonly case: string;
  readonly seed: number;
  /** With which every room name of the run begins. */
  readonly prefix: string;
  /** The well-known address. */
  readonly url: string;
  /** The whole document of the well-known address. */
  readonly discovery: Json;
  /** Room key to its name on this server and the spec asked for. */
  readonly rooms: { readonly [key: string]: { readonly name: string; readonly spec: Json } };
  /** The naked endpoint in which it takes place, as discovery lists it. */
  readonly naked?: { readonly [member: string]: Json };
  /** Account name to its bearer token. */
  readonly tokens: { readonly [account: string]: string };
  /** What one wait may last, in ms. */
  readonly deadlineMs: number;
}

/** A case that was known beforehand not to run. */
export interface SkipBody {
  readonly type: 'skip';
  readonly case: string;
  readonly verdict: 'NOT_APPLICABLE' | 'NOT_TESTED' | 'INCONCLUSIVE';
  readonly reason: string;
}

/**
 * A step's edges. `end`: what it waits for is decided. `deadline`: it was waited for in vain. `fenced`: the server's
 * own fences answered first, so that it can no longer come.
 */
export interface StepBody {
  readonly type: 'step';
  readonly index: number;
  readonly verb: string;
  readonly phase: 'begin' | 'end' | 'deadline' | 'fenced';
  readonly note?: string;
}

/** A request or a response; `at` names the exchange. `failed` says why there is no response. */
export interface HttpBody {
  readonly type: 'http';
  readonly at: string;
  readonly dir: Direction;
  readonly method?: string;
  readonly url?: string;
  readonly status?: number;
  readonly failed?: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly json?: Json;
  readonly body?: string;
  readonly bytes: number;
  /** Sent off the schema on purpose, so that it is not held against the kit. */
  readonly odd?: boolean;
  /** Told again of bystanders that were there before the run. */
  readonly earlier?: true;
  /** Of a form that the kit posted: the hashes of its messages, where it knows them. */
  readonly posted?: readonly string[] | 'unknown';
  readonly violations?: readonly string[];
}

/** What a connection is to the protocol; a dialogue is a plain one, on which lines are heard. */
export type SocketKind = 'pipe' | 'sibling' | 'dialogue';

/** Something that happened to a connection. `conn` numbers the connections of a run, since a name can be used again. */
export interface SocketBody {
  readonly type: 'socket';
  readonly at: string;
  readonly conn: number;
  readonly event:
    | 'opening'
    | 'open'
    | 'refused'
    | 'failed'
    | 'closed'
    | 'violation'
    | 'ping'
    | 'pong'
    | 'receipt'
    | 'hold'
    | 'release';
  readonly dir?: Direction;
  readonly kind?: SocketKind;
  /** Of an opening. */
  readonly transport?: string;
  readonly framing?: string;
  readonly url?: string;
  readonly protocols?: readonly string[];
  readonly protocol?: string;
  readonly status?: number;
  readonly headers?: readonly (readonly [string, string])[];
  readonly json?: Json;
  readonly code?: number;
  readonly reason?: string;
  /** Of an end without a last word: in order, or broken. */
  readonly how?: 'end' | 'reset';
  readonly what?: string;
  readonly text?: string;
  /** Told again of bystanders that were there before the run. */
  readonly earlier?: true;
}

/** One JSON text on a sibling. `text` stands in place of `json` where it is none. */
export interface FrameBody {
  readonly type: 'frame';
  readonly at: string;
  readonly conn: number;
  readonly dir: Direction;
  readonly json?: Json;
  readonly text?: string;
  /** Sent off the schema on purpose. */
  readonly odd?: boolean;
  /** A call's name within the case (`as`). */
  readonly label?: string;
  /** The call is the kit's own (a fence of a window). */
  readonly kit?: boolean;
}

/** One message on a pipe: its whole content by hash, its first 256 bytes to read. */
export interface MessageBody {
  readonly type: 'message';
  readonly at: string;
  readonly conn: number;
  readonly dir: Direction;
  readonly kind: 'text' | 'binary' | 'json';
  readonly bytes: number;
  readonly sha256: string;
  readonly text?: string;
  readonly hex?: string;
  readonly label?: string;
  /** `sentinel` and `control` are the kit's own nonces. */
  readonly role?: 'sentinel' | 'control';
  /** The kit had the network lose it. */
  readonly lost?: boolean;
}

/** Bytes that the kit sent as they are. `counts`: messages that they make up on a pipe. */
export interface RawBody {
  readonly type: 'raw';
  readonly at: string;
  readonly conn: number;
  readonly dir: 'out';
  readonly bytes: number;
  readonly hex: string;
  readonly counts?: number;
}

/** One line heard in a dialogue, without its end. */
export interface LineBody {
  readonly type: 'line';
  readonly at: string;
  readonly conn: number;
  readonly dir: 'in';
  readonly text: string;
}

/**
 * What became of the server's process, where it is the kit's own. `ending`: it was asked to end, and may take its time.
 * `ended` and `started` are the kit's doing, `crashed` is not; `failed`: it did not come back. Of the run `*`: what it
 * did by itself at any time.
 */
export interface ServerBody {
  readonly type: 'server';
  readonly event: 'ending' | 'ended' | 'started' | 'crashed' | 'failed';
  readonly how?: string;
  readonly what?: string;
  /** The well-known address from here on, and its document. */
  readonly url?: string;
  readonly discovery?: Json;
}

/** A name given to something that was received. */
export interface SaveBody {
  readonly type: 'save';
  readonly name: string;
  readonly value: Json;
}

/** A fault of the kit itself. */
export interface FaultBody {
  readonly type: 'fault';
  readonly what: string;
}

/** What a record says. */
export type RecordBody =
  | SuiteBody
  | RunBody
  | SkipBody
  | StepBody
  | HttpBody
  | SocketBody
  | FrameBody
  | MessageBody
  | RawBody
  | LineBody
  | ServerBody
  | SaveBody
  | FaultBody;

/** A record of a timeline: `i` counts within the run, `t` is in ms of a monotonic clock since the suite's start. */
export type TimelineRecord = RecordBody & { readonly i: number; readonly t: number; readonly run: string };

/** The lines of a timeline file. */
export function writeTimeline(records: readonly TimelineRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}

/** Reads a timeline file and sorts its records by run, each run in its own order; throws with the line at fault. */
export function readTimeline(file: string): Map<string, TimelineRecord[]> {
  const runs = new Map<string, TimelineRecord[]>();
  readFileSync(file, 'utf8')
    .split('\n')
    .forEach((line, index) => {
      if (line.trim() === '') return;
      const record = parseLine(line, `${file}:${String(index + 1)}`);
      const run = runs.get(record.run) ?? [];
      run.push(record);
      runs.set(record.run, run);
    });
  return runs;
}

function parseLine(line: string, place: string): TimelineRecord {
  const value: unknown = parseJson(line);
  if (isRecord(value)) return value;
  throw new Error(`${place}: not a record of a timeline`);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

// The kit wrote the file: the frame of a record is checked, not every field of it.
function isRecord(value: unknown): value is TimelineRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { i, t, run, type } = value as Readonly<Record<string, unknown>>;
  return typeof i === 'number' && typeof t === 'number' && typeof run === 'string' && typeof type === 'string';
}
