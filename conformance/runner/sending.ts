import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MessageKind } from '../drivers/driver.js';
import { TYPES } from '../drivers/udp/codec.js';
import { OPCODE } from '../drivers/websocket/frame.js';
import type { RawFrame } from '../drivers/websocket/socket.js';
import { labelOf } from '../expand.js';
import { defaultKind, literalContent } from '../judge/expect-message.js';
import { quantity } from '../judge/scope.js';
import { asText, isFields } from '../model.js';
import type { Fields, Step } from '../model.js';
import type { Json, RawBody } from '../timeline.js';
import type { Connection } from './connection.js';
import { describeMessage, parseJson } from './connection.js';
import { seededBytes, seededText } from './content.js';
import type { Run } from './run.js';
import { connectionAt } from './sockets.js';

/** A message to send. */
export interface Sending {
  readonly kind: MessageKind;
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
    ...(role === undefined && driver.losesNext === true ? { lost: true } : {}),
  });
  return driver.send({ kind, payload, fragments, sure: role !== undefined });
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
  if (isFields(fields['datagram'])) {
    rawDatagram(run, connection, { fields, datagram: fields['datagram'], step });
    return;
  }
  const { at, conn, driver } = connection;
  const frame = fields['frame'];
  const bytes = isFields(frame)
    ? frameContent(run, frame, { member: connection.member, step: step.index, index: 0 })
    : padded(run, fields);
  if (!isFields(frame)) {
    for (let left = quantity(fields['count'] ?? 1, run.ledger); left > 0; left--) {
      run.append({ type: 'raw', at, conn, dir: 'out', ...rawContent(bytes, fields) });
      driver.sendRaw(bytes);
    }
    return;
  }
  run.append({ type: 'raw', at, conn, dir: 'out', ...rawContent(bytes, fields) });
  if (driver.sendFrame === undefined) throw new Error(`${at} has no frames`);
  else driver.sendFrame({ ...frameFields(frame), payload: bytes });
}

const rawContent = (bytes: Buffer, { counts }: Fields): Pick<RawBody, 'bytes' | 'hex' | 'counts'> => ({
  bytes: bytes.length,
  hex: bytes.toString('hex', 0, 256),
  ...(typeof counts === 'number' ? { counts } : {}),
});

interface RawDatagramStep {
  readonly fields: Fields;
  readonly datagram: Fields;
  readonly step: Step;
}

/** One datagram, `times` over; what it is to be comes from the case, and how it is made from the driver. */
function rawDatagram(
  run: Run,
  { at, conn, member, driver }: Connection,
  { fields, datagram, step }: RawDatagramStep,
): void {
  if (driver.sendDatagram === undefined) throw new Error(`${at} has no datagrams`);
  const { type, seq, via, corrupt, cookie, moves, again } = datagram;
  const payload = frameContent(run, datagram, { member, step: step.index, index: 0 });
  const bytes = driver.sendDatagram({
    type: again === true ? 0 : typeOf(type),
    ...(typeof seq === 'number' ? { seq } : {}),
    payload,
    ...(typeof via === 'string' ? { via } : {}),
    ...(typeof corrupt === 'string' ? { corrupt } : {}),
    cookie: cookie === true,
    moves: moves === true,
    again: again === true,
  });
  run.append({ type: 'raw', at, conn, dir: 'out', ...rawContent(bytes, { counts: 0, ...fields }) });
}

function typeOf(type: Json | undefined): number {
  if (typeof type === 'number') return type;
  const found = Object.entries(TYPES).find(([name]) => name === type)?.[1];
  if (found === undefined) throw new Error(`no datagram is of the type ${asText(type)}`);
  return found;
}

/** Bytes as a case has them, behind so many letters. */
const padded = (run: Run, fields: Fields): Buffer =>
  Buffer.concat([
    Buffer.alloc(fields['pad'] === undefined ? 0 : quantity(fields['pad'], run.ledger), 'x'),
    plain(fields),
  ]);

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
