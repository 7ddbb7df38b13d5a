import { randomBytes } from 'node:crypto';
import type { Call, SocketState } from '../judge/entries.js';
import { resultOf } from '../judge/entries.js';
import { lookupIn, specOf } from '../judge/scope.js';
import { sentinelLabel, windowLabel } from '../judge/window.js';
import { asText, fullAt, isFields, splitAt } from '../model.js';
import type { Fields, Step } from '../model.js';
import type { Json } from '../timeline.js';
import type { Run } from './run.js';
import { sendMessage } from './sending.js';
import { connectionAt, makeCall, sendPing } from './sockets.js';

/** Whether a socket can still be written to and will be answered. */
export const isLive = (socket: SocketState | undefined): socket is SocketState =>
  socket?.opened !== undefined && socket.closed === undefined && !socket.leaving;

const roomOf = (run: Run, member: string): string | undefined => run.ledger.members.get(member)?.room;

/** Pipes of the room in which `member` is. */
export function pipesOfRoom(run: Run, member: string): SocketState[] {
  const room = roomOf(run, member);
  const { life, sockets } = run.ledger;
  const pipes = [...sockets.values()].filter((each) => each.kind === 'pipe' && each.life === life);
  return pipes.filter((each) => roomOf(run, each.member) === room);
}

/** The command channel of a member, where a fence on it would be answered. */
export function commandOf(run: Run, member: string): SocketState | undefined {
  const socket = run.ledger.bound(member, 'command');
  return isLive(socket) && !socket.held ? socket : undefined;
}

/** Sends a fence of the kit's own on a sibling; returns the call, whose answer will come. */
export function fence(run: Run, on: SocketState | undefined, { label, params }: FenceCall): Call | undefined {
  if (on === undefined) return undefined;
  makeCall(run, connectionAt(run, on.at), { method: 'fence', params, label, kit: true });
  return on.calls.at(-1);
}

interface FenceCall {
  readonly label: string;
  readonly params: Json;
}

/** Position of the last message that a pipe's member sent, as a fence takes it. */
export const afterAll = (pipe: SocketState): Json => ({ epoch: pipe.epoch, c2s: pipe.sent });

/**
 * Fences every member of the room who sent, scope room, and waits for the answers.
 *
 * @returns Whether each one that sent was fenced and answered with counters: only then nothing is under way.
 */
export async function fenceSenders(run: Run, observer: string, stop: () => boolean): Promise<boolean> {
  const senders = pipesOfRoom(run, observer).filter((pipe) => pipe.sent > 0 || pipe.uncountable);
  const able = senders.filter((pipe) => isLive(pipe) && !pipe.uncountable && commandOf(run, pipe.member) !== undefined);
  const calls = able.map((pipe) =>
    fence(run, commandOf(run, pipe.member), { label: 'senders', params: { after: afterAll(pipe), scope: 'room' } }),
  );
  const answered = (): boolean => calls.every((call) => call?.answer !== undefined);
  await run.until(() => answered() || stop(), run.setting.deadlineMs());
  const reached = calls.every((call) => call?.answer !== undefined && resultOf(call.answer) !== undefined);
  return reached && able.length === senders.length;
}

/** A window to close. `decided` says that what it shows is known already. */
export interface Closing {
  readonly run: Run;
  readonly fields: Fields;
  readonly step: Step;
  readonly decided: () => boolean;
}

/** Closes the window of `exactly` and `none`: fences first, then a nonce behind everything. */
export async function closeWindow(closing: Closing): Promise<void> {
  const { run, fields, step, decided } = closing;
  const at = fullAt(asText(fields['at']));
  const { member } = splitAt(at);
  const isPipe = fields['messages'] !== undefined || fields['message'] !== undefined;
  await fenceSenders(run, member, decided);
  if (decided()) return;
  if (!isPipe) {
    fence(run, run.ledger.sockets.get(at), { label: windowLabel(step), params: {} });
    return;
  }
  if (fields['sentinel'] === 'ping') {
    sendPing(run, connectionAt(run, at), windowLabel(step));
    return;
  }
  await readWhatIsPromised(closing, member);
  if (fields['sentinel'] !== 'none' && !decided()) sendSentinel(closing, member);
}

async function readWhatIsPromised({ run, step, decided }: Closing, member: string): Promise<void> {
  const command = commandOf(run, member);
  if (command === undefined) return;
  const call = fence(run, command, { label: windowLabel(step), params: {} });
  await run.until(() => call?.answer !== undefined || decided(), run.setting.deadlineMs());
  const counters = call?.answer === undefined ? undefined : resultOf(call.answer);
  const pipe = run.ledger.sockets.get(`${member}.pipe`);
  if (!isFields(counters) || pipe === undefined || pipe.held) return;
  const promised = Number(counters['s2cEnqueued']) - Number(counters['s2cDropped']);
  await run.until(() => pipe.received >= promised || decided(), run.setting.deadlineMs());
}

function sendSentinel({ run, fields, step }: Closing, observer: string): void {
  const sender = sentinelSender(run, fields, observer);
  if (sender !== undefined) return sendNonce(run, sender, { observer, label: sentinelLabel(step), role: 'sentinel' });
  // A server that has closed the pipe of whoever was to send it has thereby answered: the window stays open.
  if (pipesOfRoom(run, observer).some((pipe) => pipe.member !== observer && pipe.closed !== undefined && !pipe.leaving))
    return;
  throw new Error(`nobody can send ${observer} a sentinel: name one, or keep one more member`);
}

function sentinelSender(run: Run, fields: Fields, observer: string): string | undefined {
  if (typeof fields['sentinel'] === 'string') return splitAt(fields['sentinel']).member;
  const echo = specOf(run.ledger, roomOf(run, observer))['echo'] === true;
  const able = pipesOfRoom(run, observer)
    .filter(
      (pipe) => isLive(pipe) && !pipe.uncountable && maySend(run, pipe.member) && (echo || pipe.member !== observer),
    )
    .map((pipe) => pipe.member);
  const lastSender = run.ledger.sent.filter((each) => able.includes(each.member)).at(-1)?.member;
  return lastSender ?? able[0];
}

function maySend(run: Run, member: string): boolean {
  const scopes = lookupIn(run.ledger)(`${member}.scopes`);
  return !Array.isArray(scopes) || scopes.includes('send');
}

/** Who gets a nonce, and what it is for. */
export interface Nonce {
  readonly observer: string;
  readonly label: string;
  readonly role: 'sentinel' | 'control';
}

/** Sends a fresh nonce, a JSON string, in a kind that the room, its sender and its observer can all have. */
export function sendNonce(run: Run, sender: string, { observer, label, role }: Nonce): void {
  const member = splitAt(sender).member;
  const connection = connectionAt(run, sender);
  const limit = roomLimitOf(run, member);
  const nonce = randomBytes(12)
    .toString('base64url')
    .slice(0, Math.max(1, Math.min(16, limit - 3)));
  const payload = Buffer.from(`"~${nonce}"`, 'utf8');
  sendMessage(run, connection, { kind: nonceKind(run, member, observer), payload, label, role });
}

function roomLimitOf(run: Run, member: string): number {
  const limits = specOf(run.ledger, roomOf(run, member))['limits'];
  const limit = isFields(limits) ? limits['maxMessageBytes'] : undefined;
  return typeof limit === 'number' ? limit : Number.MAX_SAFE_INTEGER;
}

function nonceKind(run: Run, sender: string, observer: string): 'text' | 'binary' {
  const room = specOf(run.ledger, roomOf(run, sender));
  if (room['format'] === 'binary') return 'binary';
  const look = lookupIn(run.ledger);
  const offers = [look(`${sender}.formats.send`), look(`${splitAt(observer).member}.formats.receive`)];
  const onlyBinary = offers.some((list) => Array.isArray(list) && !list.includes('text') && !list.includes('json'));
  return onlyBinary ? 'binary' : 'text';
}
