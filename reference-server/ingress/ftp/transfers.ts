import { isUtf8 } from 'node:buffer';
import type { Outcome } from '../../ports/pipe.js';
import type { ByteSocket } from '../../ports/sockets.js';
import type { Commands } from './command.js';
import type { Dialogue } from './dialogue.js';
import { Download, LiveDownload } from './download.js';
import { type ListCommand, listing } from './listing.js';
import type { Membership } from './member.js';
import { begun, connected, PASSIVE, protectedAsWanted, shut } from './passive.js';
import type { Fetched } from './pipe.js';
import { entered, entries, place } from './rooms.js';
import { Upload } from './upload.js';
import { facts, refusal, reply } from './words.js';

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

const EMPTY = reply(450, 'empty');

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
  const raw = await connected(dialogue);
  if (!raw) return;
  const { pipe } = member;
  // Of bytes the place before the first is told, and of a message its own.
  const n = pipe.received + (member.stream ? 0 : 1);
  const socket = begun(dialogue, raw, name, facts({ epoch: member.epoch, n }));
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
    if (!flows) pipe.send(member.stream ? 'binary' : kind, end.payload);
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
  if (!protectedAsWanted(dialogue)) return null;
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
  if (!protectedAsWanted(dialogue)) return;
  if (!member) {
    dialogue.reply(refusal('no_pipe'));
    return;
  }
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
  if (!at) return;
  const { member, name } = at;
  if (!member.receives)
    dialogue.reply(refusal('forbidden')); // FTP-43
  else if (member.stream !== (name === 'stream')) dialogue.reply(refusal('not_found'));
  else if (name === 'stream') await live(dialogue, member);
  else if (name === 'wait') await message(dialogue, member, true);
  else if (name !== 'next') dialogue.reply(refusal('not_found'));
  else if (member.pipe.queued(1).length > 0) await message(dialogue, member, false);
  else dialogue.reply(EMPTY);
}

/** RETR next takes the message that is there; RETR wait also waits for one. */
async function message(dialogue: Dialogue, { pipe, epoch }: Membership, waits: boolean): Promise<void> {
  const raw = await connected(dialogue);
  if (!raw) return;
  const fetched = await fetch({ dialogue, pipe, raw, waits });
  if (typeof fetched === 'string') {
    raw.reset();
    dialogue.reply(fetched);
    return;
  }
  const { n, message: taken } = fetched;
  const told = facts({ epoch, n, kind: taken.kind });
  const socket = begun(dialogue, raw, told, `(${String(taken.payload.length)} bytes)`);
  const { clock, limits } = dialogue;
  const download = new Download({ socket, clock, ms: limits.ftpDataMs, wire: raw.stream }, taken.payload);
  dialogue.transfer = download;
  const whole = await download.done;
  dialogue.transfer = null;
  dialogue.reply(whole ? reply(226, told) : refusal('truncated', { epoch, n }));
  if (whole) pipe.taken(); // a pipe that waited for nothing else ends with it
}

interface Fetching {
  readonly dialogue: Dialogue;
  readonly pipe: Membership['pipe'];
  readonly raw: ByteSocket;
  readonly waits: boolean;
}

/** The message to send, or what to answer where there is none. */
async function fetch({ dialogue, pipe, raw, waits }: Fetching): Promise<Fetched | string> {
  if (!dialogue.protection.secured && (await gone(raw))) return refusal('truncated');
  if (waits) return (await waited(dialogue, pipe, raw)) ?? refusal('truncated');
  return pipe.fetch() ?? EMPTY;
}

/** Whether the client has ended the data connection by now, which is heard one turn later. */
async function gone({ stream }: ByteSocket): Promise<boolean> {
  stream.resume();
  await new Promise((resolve) => setImmediate(resolve));
  return stream.readableEnded || stream.destroyed;
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
  shut(dialogue);
  dialogue.reply(reply(226, 'ABOR'));
};

/** Whatever a transfer is answered, its port is used up (FTP-42). */
const transfer =
  (run: (dialogue: Dialogue, argument: string) => Promise<void>) =>
  async (dialogue: Dialogue, argument: string): Promise<void> => {
    await run(dialogue, argument);
    shut(dialogue);
  };

export const TRANSFERS: Commands = {
  ...PASSIVE,
  LIST: { needs: 'login', run: transfer(list('LIST')) },
  NLST: { needs: 'login', run: transfer(list('NLST')) },
  MLSD: { needs: 'login', run: transfer(list('MLSD')) },
  STOR: { needs: 'login', run: transfer(stor) },
  STOU: { needs: 'login', run: transfer(stou) },
  APPE: { needs: 'login', run: transfer(appe) },
  RETR: { needs: 'login', run: transfer(retr) },
  ABOR: { needs: 'login', run: abor },
};
