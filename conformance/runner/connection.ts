import { isUtf8 } from 'node:buffer';
import type { Driver, DriverRecord, MessageKind, Way } from '../drivers/driver.js';
import { openerOf } from '../drivers/transports.js';
import type { OpenResult } from '../drivers/websocket/opening.js';
import { sha256 } from '../judge/expect-message.js';
import { splitAt } from '../model.js';
import type { Json, MessageBody, RecordBody, SocketBody, SocketKind } from '../timeline.js';
import type { Run } from './run.js';

/** A connection of a run under its name. */
export interface Connection {
  readonly at: string;
  readonly conn: number;
  readonly member: string;
  readonly kind: SocketKind;
  readonly driver: Driver;
  /** Of one that a later run can take over. */
  readonly recorder?: Recorder;
}

/** Where what a connection brings is recorded: in its run, and after that in the next that takes the connection over. */
export class Recorder {
  #run: Run | undefined;
  #place: Place;
  #missed = 0;

  constructor(run: Run, place: Place) {
    this.#run = run;
    this.#place = place;
  }

  /** Whether nothing has come that no run has. */
  get quiet(): boolean {
    return this.#missed === 0;
  }

  record(each: DriverRecord): void {
    if (this.#run === undefined) {
      // The receipt of the last nonce may come behind the nonce.
      if (each.type !== 'ping' && each.type !== 'receipt') this.#missed += 1;
      return;
    }
    const body = bodyOf(each, this.#place);
    if (body !== undefined) this.#run.append(body);
  }

  /** The run is over. */
  leave(): void {
    this.#run = undefined;
  }

  /** Goes on in another run. Returns the number of the connection there. */
  follow(run: Run): number {
    this.#run = run;
    this.#place = { ...this.#place, conn: run.nextConn() };
    return this.#place.conn;
  }
}

/** How a connection is to be opened. */
export interface ToOpen extends Omit<Way, 'signal' | 'onRecord'> {
  readonly at: string;
  readonly transport: string;
}

const LEGIBLE = 256;

/** A message as its record says it. */
export function describeMessage(
  kind: MessageKind,
  payload: Buffer,
): Pick<MessageBody, 'kind' | 'bytes' | 'sha256' | 'text' | 'hex'> {
  const start = payload.subarray(0, LEGIBLE);
  const content = kind !== 'binary' && isUtf8(payload) ? { text: cutText(payload) } : { hex: start.toString('hex') };
  return { kind, bytes: payload.length, sha256: sha256(payload), ...content };
}

// A cut inside a character leaves replacement characters at the end, which nobody sent.
const cutText = (payload: Buffer): string =>
  payload.length <= LEGIBLE ? payload.toString('utf8') : payload.toString('utf8', 0, LEGIBLE).replace(/\uFFFD+$/u, '');

/** Parses a JSON text; undefined where it is none. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Starts to open a connection; everything that it brings is recorded, from its first byte on. */
export function openConnection(run: Run, { at, transport, ...way }: ToOpen): Connection {
  const conn = run.nextConn();
  const { kind, url, framing } = way;
  const early: DriverRecord[] = [];
  let isOpen = false;
  const recorder = new Recorder(run, { at, conn, kind, transport });
  const { driver, protocols, result } = openerOf(
    kind,
    transport,
  )({
    ...way,
    tls: run.target.tls,
    signal: run.signal,
    onRecord: (each) => {
      if (isOpen) recorder.record(each);
      else early.push(each);
    },
  });
  const connection: Connection = { at, conn, member: splitAt(at).member, kind, driver, recorder };
  run.keep(connection);
  const over = { transport, ...(framing === undefined ? {} : { framing }) };
  run.append({ type: 'socket', at, conn, event: 'opening', kind, url: url.href, protocols, ...over });
  result.then((opened) => {
    for (const body of openingBodies(opened, at, conn)) run.append(body);
    isOpen = true;
    for (const each of early) recorder.record(each);
  }, ignoreAbort);
  return connection;
}

// The signal's reason is the end of the run, which needs no second mention.
const ignoreAbort = (): void => undefined;

function openingBodies(result: OpenResult, at: string, conn: number): SocketBody[] {
  const common = { type: 'socket', at, conn } as const;
  const violations = result.violations.map((what): SocketBody => ({ ...common, event: 'violation', what }));
  if (result.type === 'failed') {
    return [...violations, { ...common, event: 'failed', what: `${result.why} ${result.error}` }];
  }
  const { headers } = result;
  if (result.type === 'opened') {
    const protocol = result.subprotocol === undefined ? {} : { protocol: result.subprotocol };
    return [{ ...common, event: 'open', status: 101, headers, ...protocol }, ...violations];
  }
  const text = result.body.toString('utf8');
  const json = parseJson(text);
  const body = json === undefined ? { text } : { json };
  return [...violations, { ...common, event: 'refused', status: result.status, headers, ...body }];
}

interface Place {
  readonly at: string;
  readonly conn: number;
  readonly kind: 'pipe' | 'sibling';
  readonly transport: string;
}

function bodyOf(record: DriverRecord, { at, conn, kind, transport }: Place): RecordBody | undefined {
  const socket = { type: 'socket', at, conn } as const;
  switch (record.type) {
    case 'message':
      return kind === 'pipe'
        ? { type: 'message', at, conn, dir: 'in', ...describeMessage(record.kind, record.payload) }
        : frame(record, at, conn);
    case 'ping':
    case 'pong':
      return { ...socket, event: record.type, dir: 'in', text: record.payload.toString('latin1') };
    case 'close':
      return { ...socket, event: 'closed', dir: 'in', code: record.code, reason: record.reason };
    case 'eof':
      return { ...socket, event: 'closed', dir: 'in', ...abnormal(transport), how: 'end', what: 'eof' };
    case 'reset':
      return { ...socket, event: 'closed', dir: 'in', ...abnormal(transport), how: 'reset', what: record.error };
    case 'receipt':
      return { ...socket, event: 'receipt', dir: 'in', code: record.code, json: record.facts };
    case 'violation':
      return { ...socket, event: 'violation', what: record.what };
  }
}

// The code that stands for an end without a close frame (RFC 6455 §7.1.5).
const abnormal = (transport: string): { readonly code?: number } => (transport === 'websocket' ? { code: 1006 } : {});

function frame(record: { kind: MessageKind; payload: Buffer }, at: string, conn: number): RecordBody {
  if (record.kind === 'binary') {
    return {
      type: 'socket',
      at,
      conn,
      event: 'violation',
      what: 'binary_on_sibling',
      text: record.payload.toString('hex'),
    };
  }
  const text = record.payload.toString('utf8');
  const json = parseJson(text);
  return { type: 'frame', at, conn, dir: 'in', ...(json === undefined ? { text } : { json }) };
}
