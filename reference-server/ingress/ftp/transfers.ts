import { isUtf8 } from 'node:buffer';
import { isIPv4 } from 'node:net';
import type { Outcome } from '../../ports/pipe.js';
import type { ByteSocket } from '../../ports/sockets.js';
import type { Commands } from './command.js';
import { DataDoor, plainHost } from './data.js';
import type { Dialogue } from './dialogue.js';
import { Download, LiveDownload } from './download.js';
import { type ListCommand, listing } from './listing.js';
import type { Membership } from './member.js';
import type { Fetched } from './pipe.js';
import { entered, entries, place } from './rooms.js';
import { Upload } from './upload.js';
import { facts, refusal, reply } from './words.js';

/** Opens a place for one data connection, in place of the one before; null, and the client has been told, where there is none. */
async function door(dialogue: Dialogue): Promise<DataDoor | null> {
  dialogue.data?.close();
  dialogue.data = null;
  const { local, remote } = dialogue.control.socket;
  const { clock } = dialogue;
  const { listeners } = dialogue.services;
  const parts = { listeners, local, remote, clock, ms: dialogue.limits.ftpDataMs };
  const opened = await DataDoor.open(parts).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    dialogue.reply(reply(425, 'busy'));
    return null;
  });
  if (!opened) return null;
  if (dialogue.control.closed) opened.close();
  dialogue.data = opened;
  return opened;
}

const isV4 = (dialogue: Dialogue): boolean => isIPv4(plainHost(dialogue.control.socket.local.host));

/** RFC 2428, section 3. */
async function epsv(dialogue: Dialogue, argument: string): Promise<void> {
  const family = isV4(dialogue) ? '1' : '2';
  if (/^ALL$/i.test(argument)) {
    dialogue.extendedOnly = true;
    dialogue.reply(reply(200, 'EPSV'));
  } else if (argument !== '' && argument !== family) dialogue.reply(reply(522, `(${family})`));
  else {
    const opened = await door(dialogue);
    if (opened) dialogue.reply(reply(229, `(|||${String(opened.address.port)}|)`));
  }
}

async function pasv(dialogue: Dialogue): Promise<void> {
  if (dialogue.extendedOnly) dialogue.reply(reply(501, 'EPSV'));
  else if (!isV4(dialogue)) dialogue.reply(reply(425, 'EPSV'));
  else {
    const opened = await door(dialogue);
    if (!opened) return;
    const { port } = opened.address;
    const host = (dialogue.services.passiveAddress ?? plainHost(dialogue.control.socket.local.host)).split('.');
    dialogue.reply(reply(227, `(${[...host, port >> 8, port & 0xff].join(',')})`));
  }
}

/** The data connection that was asked for, or null, and the client has been told. */
async function connected(dialogue: Dialogue): Promise<ByteSocket | null> {
  const { data } = dialogue;
  if (!data || dialogue.deaf) {
    dialogue.reply(reply(425, 'EPSV'));
    return null;
  }
  dialogue.transfer = { abort: () => data.close() };
  const socket = await data.take();
  dialogue.transfer = null;
  dialogue.data = null;
  if (!socket) dialogue.reply(reply(425, 'timeout'));
  return socket;
}

/** Whether data may travel as things stand (RFC 4217, section 9). */
function protectedAsWanted(dialogue: Dialogue): boolean {
  const { secured, level } = dialogue.protection;
  if (!secured || level === 'P') return true;
  dialogue.reply(reply(521, 'PROT P'));
  return false;
}

/** Says that a transfer begins; what travels then is inside TLS where the control connection is. */
function begun(dialogue: Dialogue, socket: ByteSocket, ...texts: readonly string[]): ByteSocket {
  dialogue.reply(reply(150, ...texts));
  const { tls } = dialogue.services;
  if (!tls || !dialogue.protection.secured) return socket;
  const secure = tls.secure(socket);
  secure.stream.on('error', () => undefined); // its close says the same
  return secure;
}

const list =
  (command: ListCommand) =>
  async (dialogue: Dialogue, argument: string): Promise<void> => {
    const where = place(dialogue, argument.replace(/^(-\S*\s*)+/, ''));
    if (!where || !protectedAsWanted(dialogue)) return;
    const shown = await entries(dialogue, where);
    if (!shown) return;
    const socket = await connected(dialogue);
    if (!socket) return;
    const { clock, limits } = dialogue;
    const download = new Download(
      { socket: begun(dialogue, socket, command), clock, ms: limits.ftpDataMs },
      listing(command, shown),
    );
    dialogue.transfer = download;
    const whole = await download.done;
    dialogue.transfer = null;
    dialogue.reply(whole ? reply(226, command) : reply(426, 'truncated'));
  };

interface Storing {
  readonly member: Membership;
  /** What the 150 and the receipt call it. */
  readonly name: string;
  /** Whether bytes go on as they come. */
  readonly flows: boolean;
}

/** STOR, STOU and APPE: a message, or bytes of a stream. */
async function store(dialogue: Dialogue, { member, name, flows }: Storing): Promise<void> {
  const { clock, limits, kind, allocated } = dialogue;
  dialogue.allocated = null;
  if (!protectedAsWanted(dialogue)) return;
  const raw = await connected(dialogue);
  if (!raw) return;
  const { pipe } = member;
  const first = pipe.received + 1;
  const socket = begun(dialogue, raw, name, facts({ epoch: member.epoch, n: flows ? first - 1 : first }));
  const flow = flows ? { flow: (chunk: Buffer): void => pipe.send('binary', chunk) } : {};
  const parts = { socket, most: limits.hardMessageBytes, clock, ms: limits.ftpDataMs, ...flow };
  const upload = pipe.begin((reading) => new Upload(parts, reading));
  dialogue.transfer = upload;
  const end = await upload.end;
  dialogue.transfer = null;
  if (end === 'too_long') dialogue.end('message_too_long');
  else if (end === 'broken' || (allocated !== null && allocated !== upload.bytes)) {
    pipe.truncated();
    await pipe.outcome();
    dialogue.reply(refusal('truncated', { epoch: member.epoch, n: pipe.received }));
  } else if (!flows && kind === 'text' && !member.stream && !isUtf8(end.payload)) dialogue.end('invalid_utf8');
  else {
    if (!flows) pipe.send(kind, end.payload);
    dialogue.reply(receipt(member, name, await pipe.outcome()));
  }
}

/** What became of an upload, as its last reply tells it (FTP-14, FTP-15). */
function receipt({ epoch, stream, pipe }: Membership, name: string, outcome: Outcome | null): string {
  if (outcome === null && !stream) return refusal('draining');
  if (outcome && 'error' in outcome) {
    return refusal(outcome.error.name, { epoch, n: outcome.n, limit: outcome.error.limit });
  }
  if (stream || outcome === null) return reply(226, name, facts({ epoch, n: pipe.received }));
  return reply(226, name, facts({ epoch, n: outcome.n, id: outcome.id, members: outcome.members }));
}

/** The session in whose room a path is, if it names something there. */
async function memberAt(dialogue: Dialogue, path: string): Promise<{ member: Membership; name: string } | null> {
  const where = place(dialogue, path);
  if (!where) return null;
  if (where.room === null || where.name === null) {
    dialogue.reply(refusal('not_found'));
    return null;
  }
  const member = await entered(dialogue, where.room);
  return member && { member, name: where.name };
}

async function stor(dialogue: Dialogue, path: string): Promise<void> {
  const at = await memberAt(dialogue, path);
  if (at) await store(dialogue, { member: at.member, name: '', flows: false });
}

/** The name is that of the place in the stream (RFC 1123, section 4.1.2.9). */
async function stou(dialogue: Dialogue): Promise<void> {
  const { member } = dialogue;
  if (!member) return;
  const name = `c2s-${String(member.epoch)}-${String(member.pipe.received + 1)}`;
  await store(dialogue, { member, name: `FILE: ${name}`, flows: false });
}

async function appe(dialogue: Dialogue, path: string): Promise<void> {
  const at = await memberAt(dialogue, path);
  if (!at) return;
  if (!at.member.stream) dialogue.reply(refusal('not_supported'));
  else await store(dialogue, { member: at.member, name: '', flows: true });
}

async function retr(dialogue: Dialogue, path: string): Promise<void> {
  const at = await memberAt(dialogue, path);
  if (!at || !protectedAsWanted(dialogue)) return;
  const { member, name } = at;
  if (member.stream !== (name === 'stream')) dialogue.reply(refusal('not_found'));
  else if (name === 'stream') await live(dialogue, member);
  else if (name === 'wait') await message(dialogue, member, true);
  else if (name !== 'next') dialogue.reply(refusal('not_found'));
  else if (member.pipe.queued(1).length > 0) await message(dialogue, member, false);
  else {
    dialogue.data?.close();
    dialogue.data = null;
    dialogue.reply(reply(450, 'empty'));
  }
}

/** RETR next takes the message that is there; RETR wait also waits for one. */
async function message(dialogue: Dialogue, { pipe, epoch }: Membership, waits: boolean): Promise<void> {
  const raw = await connected(dialogue);
  if (!raw) return;
  const fetched = waits ? await waited(dialogue, pipe, raw) : pipe.fetch();
  if (!fetched) {
    raw.reset();
    dialogue.reply(waits ? reply(426, 'truncated') : reply(450, 'empty'));
    return;
  }
  const { n, message: taken } = fetched;
  const told = facts({ epoch, n, kind: taken.kind });
  const socket = begun(dialogue, raw, told, `(${String(taken.payload.length)} bytes)`);
  const { clock, limits } = dialogue;
  const download = new Download({ socket, clock, ms: limits.ftpDataMs }, taken.payload);
  dialogue.transfer = download;
  const whole = await download.done;
  dialogue.transfer = null;
  if (whole) pipe.taken();
  dialogue.reply(whole ? reply(226, told) : refusal('truncated', { epoch, n }));
}

async function waited(dialogue: Dialogue, pipe: Membership['pipe'], { stream }: ByteSocket): Promise<Fetched | null> {
  const over = new Promise<void>((resolve) => {
    dialogue.transfer = { abort: () => resolve() };
    stream.once('end', resolve).once('close', resolve).resume();
  });
  const fetched = await pipe.fetchNext(over);
  dialogue.transfer = null;
  return fetched;
}

async function live(dialogue: Dialogue, { pipe, epoch }: Membership): Promise<void> {
  const raw = await connected(dialogue);
  if (!raw) return;
  const socket = begun(dialogue, raw, facts({ epoch, n: pipe.written }));
  const { clock, limits } = dialogue;
  const ending = { aborted: false };
  const whole = await pipe.stream((drained) => {
    const download = new LiveDownload({ socket, clock, ms: limits.ftpDataMs }, drained);
    const abort = (why: 'asked' | 'lost'): void => {
      ending.aborted = true;
      if (why === 'asked') download.end();
      else socket.reset();
    };
    dialogue.transfer = { abort };
    return download;
  });
  dialogue.transfer = null;
  const told = { epoch, n: pipe.written };
  dialogue.reply(whole && !ending.aborted ? reply(226, facts(told)) : refusal('truncated', told));
}

/** The transfer that it meant has been broken off, and has said so, by the time it has its turn (FTP-29). */
const abor = (dialogue: Dialogue): void => {
  dialogue.data?.close();
  dialogue.data = null;
  dialogue.reply(reply(226, 'ABOR'));
};

export const TRANSFERS: Commands = {
  EPSV: { needs: 'login', run: epsv },
  PASV: { needs: 'login', run: pasv },
  LIST: { needs: 'login', run: list('LIST') },
  NLST: { needs: 'login', run: list('NLST') },
  MLSD: { needs: 'login', run: list('MLSD') },
  STOR: { needs: 'login', run: stor },
  STOU: { needs: 'room', run: stou },
  APPE: { needs: 'login', run: appe },
  RETR: { needs: 'login', run: retr },
  ABOR: { needs: 'login', run: abor },
};
