import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { bindMac } from '../drivers/bind.js';
import { OPCODE } from '../drivers/websocket/frame.js';
import type { RawFrame } from '../drivers/websocket/socket.js';
import { channelOf, labelOf, socketOf } from '../expand.js';
import { fieldOf } from '../judge/ledger.js';
import { defaultKind, literalContent } from '../judge/expect-message.js';
import { quantity } from '../judge/scope.js';
import { asText, fullAt, isFields, splitAt } from '../model.js';
import type { Fields, Step } from '../model.js';
import type { Json } from '../timeline.js';
import type { Connection } from './connection.js';
import { describeMessage, openConnection, parseJson } from './connection.js';
import { seededBytes, seededText } from './content.js';
import type { Run } from './run.js';
import { endpointOf } from '../endpoints.js';

const PIPE_PROTOCOL = 'porthouse.pipe.v1';
const SIBLING_PROTOCOL = 'porthouse.sibling.v1';
const TICKET_PREFIX = 'porthouse.ticket.';

/** The connection with this name; that there is none is a fault of the case. */
export function connectionAt(run: Run, at: Json | undefined): Connection {
  const found = run.connections.get(fullAt(asText(at)));
  if (found === undefined) throw new Error(`${asText(at)} was never opened`);
  return found;
}

/** The `open` verb. */
export function openStep(run: Run, fields: Fields): Connection {
  const at = socketOf('open', fields);
  const kind = fields['pipe'] === undefined ? 'sibling' : 'pipe';
  const grant = run.ledger.members.get(splitAt(at).member)?.grant;
  const ticket = fields['ticket'] ?? (isFields(grant) ? grant['pipeTicket'] : undefined);
  const offered = kind === 'sibling' ? [SIBLING_PROTOCOL] : [PIPE_PROTOCOL, `${TICKET_PREFIX}${asText(ticket)}`];
  const protocols = Array.isArray(fields['protocols']) ? fields['protocols'].map(String) : offered;
  const url = endpointOf(run.setting.target, grant, kind);
  return openConnection(run, { at, kind, url, protocols, headers: headersOf(fields['headers']) });
}

function headersOf(headers: Json | undefined): { [name: string]: string | null } {
  if (!isFields(headers)) return {};
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value === null ? null : asText(value)]),
  );
}

/** A call to make. */
export interface Calling {
  readonly method: string;
  readonly params?: Json;
  readonly id?: Json;
  readonly notify?: boolean;
  readonly label?: string;
  readonly kit?: boolean;
  readonly odd?: boolean;
}

/** Sends a call on a sibling. */
export function makeCall(run: Run, connection: Connection, calling: Calling): void {
  const { method, params, id, notify, label, kit, odd } = calling;
  const number = run.nextCall();
  const json: Json = {
    jsonrpc: '2.0',
    ...(notify === true ? {} : { id: id ?? (kit === true ? `kit-${String(number)}` : number) }),
    method,
    ...(params === undefined ? {} : { params }),
  };
  const { at, conn, driver } = connection;
  run.append({
    type: 'frame',
    at,
    conn,
    dir: 'out',
    json,
    ...(label === undefined ? {} : { label }),
    ...(kit === true ? { kit } : {}),
    ...(odd === true ? { odd } : {}),
  });
  driver.sendText(JSON.stringify(json));
}

/** The `call` verb. */
export function callStep(run: Run, fields: Fields, step: Step): void {
  const { at, method, params, id, notify, invalid } = fields;
  makeCall(run, connectionAt(run, at), {
    method: asText(method),
    // `invalid: true` with `params: null` leaves them out.
    ...(params === null ? {} : { params: params ?? {} }),
    ...(id === undefined ? {} : { id }),
    notify: notify === true,
    label: labelOf('call', fields, step.index),
    odd: invalid === true,
  });
}

const CORRUPTIBLE: ReadonlySet<string> = new Set(['mac', 'channel', 'cnonce', 'nonce', 'sid']);

/** The `bind` verb; opens the socket first where it is not open, and waits for its hello. */
export async function bindStep(run: Run, fields: Fields, step: Step): Promise<void> {
  const at = socketOf('bind', fields);
  const { member, socket } = splitAt(at);
  // Whoever cut or closed a socket and binds again under its name means a new one.
  const left = run.ledger.sockets.get(at)?.leaving === true;
  const known = left ? undefined : run.connections.get(at);
  const connection = known ?? openStep(run, { sibling: member, as: socket });
  const state = () => run.ledger.sockets.get(at);
  const helloOf = () => state()?.inbound.find((each) => fieldOf(each, 'method') === 'sibling.hello');
  const gone = () => state()?.refused !== undefined || state()?.closed !== undefined;
  await run.until(() => helloOf() !== undefined || gone(), run.setting.deadlineMs());
  const hello = helloOf();
  if (hello === undefined) return;
  hello.claimed = true;
  const params = fieldOf(hello, 'params');
  const nonce = isFields(params) ? params['nonce'] : undefined;
  const { lastSeq, eventEpoch } = fields;
  makeCall(run, connection, {
    method: 'sibling.bind',
    params: {
      ...proofOf(run, fields, asText(nonce)),
      ...(lastSeq === undefined ? {} : { lastSeq }),
      ...(eventEpoch === undefined ? {} : { eventEpoch }),
    },
    label: labelOf('bind', fields, step.index),
  });
}

function proofOf(
  run: Run,
  fields: Fields,
  nonce: string,
): { sid: string; channel: string; cnonce: string; mac: string } {
  const grant = run.ledger.members.get(asText(fields['member']))?.grant;
  const granted = isFields(grant) ? grant : {};
  const sid = asText(fields['sid'] ?? granted['sid']);
  const siblingSecret = asText(fields['secret'] ?? granted['siblingSecret']);
  const channel = channelOf(fields);
  const cnonce = randomBytes(16).toString('base64url');
  const { corrupt } = fields;
  if (corrupt !== undefined && !CORRUPTIBLE.has(asText(corrupt))) throw new Error(`cannot corrupt ${asText(corrupt)}`);
  const proof = { siblingSecret, sid, channel, nonce, cnonce };
  const mac =
    corrupt === 'mac' ? randomBytes(32).toString('base64url') : bindMac({ ...proof, ...corruption(corrupt, channel) });
  return { sid, channel, cnonce, mac };
}

// The mac is right for something else than what the call says.
function corruption(
  what: Json | undefined,
  channel: string,
): { channel?: string; cnonce?: string; nonce?: string; sid?: string } {
  if (what === 'channel') return { channel: channel === 'debug' ? 'command' : 'debug' };
  if (what === 'cnonce') return { cnonce: randomBytes(16).toString('base64url') };
  if (what === 'nonce') return { nonce: randomBytes(16).toString('base64url') };
  if (what === 'sid') return { sid: `s_${randomBytes(16).toString('base64url')}` };
  return {};
}

/** A message to send. */
export interface Sending {
  readonly kind: 'text' | 'binary';
  readonly payload: Buffer;
  readonly fragments?: number;
  readonly label?: string;
  readonly role?: 'sentinel' | 'control';
}

/** Sends one message on a pipe; false asks to wait before sending much more. */
export function sendMessage(run: Run, { at, conn, driver }: Connection, sending: Sending): boolean {
  const { kind, payload, fragments, label, role } = sending;
  run.append({
    type: 'message',
    at,
    conn,
    dir: 'out',
    ...describeMessage(kind, payload),
    ...(label === undefined ? {} : { label }),
    ...(role === undefined ? {} : { role }),
  });
  return driver.send({ kind, payload, fragments });
}

const BURST = 200;

/** The `send` verb. */
export async function sendStep(run: Run, fields: Fields, step: Step): Promise<void> {
  const connection = connectionAt(run, fields['from']);
  const content: Fields = isFields(fields['message']) ? { ...fields, ...fields['message'] } : fields;
  const count = fields['count'] === undefined ? 1 : quantity(fields['count'], run.ledger, connection.member);
  const label = labelOf('send', fields, step.index);
  const fragments = fields['fragments'] === undefined ? 1 : Number(fields['fragments']);
  for (let index = 0; index < count; index++) {
    const payload = payloadOf(run, content, { member: connection.member, step: step.index, index });
    const goOn = sendMessage(run, connection, { kind: defaultKind(content), payload, fragments, label });
    if (!goOn) await drained(run, connection);
    // Other cases run in the same process.
    if (index % BURST === BURST - 1) await nextTurn();
  }
}

// A server that reads no more must not hold the kit for ever.
async function drained(run: Run, { driver }: Connection): Promise<void> {
  const patience = AbortSignal.any([run.signal, AbortSignal.timeout(Math.ceil(run.setting.deadlineMs()))]);
  await driver.written(patience).catch(() => false);
}

function payloadOf(run: Run, content: Fields, place: { member: string; step: number; index: number }): Buffer {
  const literal = literalContent(content);
  if (literal !== undefined) return literal;
  const size = quantity(content['bytes'], run.ledger, place.member);
  const seeded = { seed: run.setting.seed, case: run.of.id, step: place.step, index: place.index };
  return content['kind'] === 'text' ? seededText(seeded, size) : seededBytes(seeded, size);
}

/** The `raw` verb on a socket that is open. */
export function rawStep(run: Run, fields: Fields, step: Step): void {
  const connection = connectionAt(run, fields['at']);
  if (typeof fields['message'] === 'string') {
    rawMessage(run, connection, { text: fields['message'], label: labelOf('raw', fields, step.index) });
    return;
  }
  const { at, conn, driver } = connection;
  const frame = fields['frame'];
  const bytes = isFields(frame)
    ? frameContent(run, frame, { member: connection.member, step: step.index, index: 0 })
    : plain(fields);
  const counts = typeof fields['counts'] === 'number' ? { counts: fields['counts'] } : {};
  run.append({ type: 'raw', at, conn, dir: 'out', bytes: bytes.length, hex: bytes.toString('hex', 0, 256), ...counts });
  if (!isFields(frame)) driver.sendRaw(bytes);
  else driver.sendFrame({ ...frameFields(frame), payload: bytes });
}

const plain = (fields: Fields): Buffer =>
  typeof fields['hex'] === 'string' ? Buffer.from(fields['hex'], 'hex') : Buffer.from(asText(fields['text']), 'utf8');

function rawMessage(
  run: Run,
  { at, conn, driver }: Connection,
  { text, label }: { text: string; label: string },
): void {
  const json = parseJson(text);
  run.append({ type: 'frame', at, conn, dir: 'out', odd: true, label, ...(json === undefined ? { text } : { json }) });
  driver.sendText(text);
}

function frameContent(run: Run, frame: Fields, place: { member: string; step: number; index: number }): Buffer {
  const empty = frame['text'] === undefined && frame['hex'] === undefined && frame['bytes'] === undefined;
  return empty ? Buffer.alloc(0) : payloadOf(run, frame, place);
}

function frameFields(frame: Fields): Omit<RawFrame, 'payload'> {
  const { opcode, fin, rsv, mask, lengthForm, declaredLength } = frame;
  return {
    opcode: opcodeOf(opcode),
    fin: fin !== false,
    ...(typeof rsv === 'number' ? { rsv } : {}),
    masked: mask !== false,
    ...(lengthForm === 7 || lengthForm === 16 || lengthForm === 64 ? { lengthForm } : {}),
    ...(typeof declaredLength === 'number' ? { declaredLength } : {}),
  };
}

function opcodeOf(opcode: Json | undefined): number {
  if (typeof opcode === 'number') return opcode;
  const found = Object.entries(OPCODE).find(([name]) => name === opcode)?.[1];
  if (found === undefined) throw new Error(`no opcode is known as ${asText(opcode)}`);
  return found;
}

/** Sends a ping and records it. */
export function sendPing(run: Run, { at, conn, driver }: Connection, text: string): void {
  run.append({ type: 'socket', at, conn, event: 'ping', dir: 'out', text });
  driver.ping(Buffer.from(text, 'latin1'));
}

/** The `close` and `cut` verbs. */
export function leave(run: Run, fields: Fields, how: 'close' | 'cut'): void {
  const { at, conn, driver } = connectionAt(run, fields['at']);
  const code = typeof fields['code'] === 'number' ? fields['code'] : 1000;
  const reason = typeof fields['reason'] === 'string' ? fields['reason'] : '';
  const said = how === 'cut' ? { code: 1006, what: 'cut' } : { code, reason };
  run.append({ type: 'socket', at, conn, event: 'closed', dir: 'out', ...said });
  if (how === 'cut') driver.cut();
  else driver.close(code, reason);
}

/** The `hold` and `release` verbs. */
export function toggle(run: Run, fields: Fields, event: 'hold' | 'release'): void {
  const { at, conn, driver } = connectionAt(run, fields['at']);
  run.append({ type: 'socket', at, conn, event });
  if (event === 'hold') driver.pause();
  else driver.resume();
}
