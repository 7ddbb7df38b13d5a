import { type Socket, connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { limits } from '../../generated/limits.js';
import type { Discovery, Grant } from '../../generated/types.js';
import { peakKiB, residentKiB, resetPeak } from '../processes.js';
import { built, file, firstLine, startOn, started, type Started } from '../servers/started.js';
import { Account, content } from './content.js';
import { knownBuffers } from './known.js';
import { type Destination, Sender, type Through } from './sender.js';

const TOKEN = 'dev.bench';
const ROOM = 'stream';
const SPEC = { boundaries: 'ignored', slowConsumer: 'block' };
/** The member is slow on purpose, and is not to be given up for it where the machine has much else to do. */
const SETTINGS = JSON.stringify({ limits: { blockMs: 120_000 }, logLevel: 'fatal' });
const REST_MS = 1;

/** What became of one stream. */
export interface Streamed {
  readonly through: Through;
  readonly bytes: number;
  /** Bytes that the slow member read, and whether they were those that were sent, in order. */
  readonly received: number;
  readonly whole: boolean;
  /** Most bytes that the sender was ahead of the member, and how many it could be at most. */
  readonly ahead: number;
  readonly known: number;
  /** Resident memory of the server, in KiB: before the stream, and at its peak; null where the system does not tell. */
  readonly idleKiB: number | null;
  readonly peakKiB: number | null;
  /** What the server answered to the sender. */
  readonly answer: string;
}

/** Sends so many bytes into a stream room of a server of its own, in which one member reads slowly. */
export async function stream(through: Through, bytes: number): Promise<Streamed> {
  const args = [built('reference-server/main.js'), '--port', '0', '--config', file('streams.json', SETTINGS)];
  const child = startOn('server', { command: process.execPath, args });
  const server = started(child, await firstLine(child), false);
  try {
    const member = await slowMember(server.url);
    const sender = new Sender(through, await destination(through, server.url));
    try {
      return { through, bytes, ...(await flow({ server, member, sender, bytes })) };
    } finally {
      sender.stop();
      member.destroy();
    }
  } finally {
    await server.stop();
  }
}

interface Flow {
  readonly server: Started;
  readonly member: Socket;
  readonly sender: Sender;
  readonly bytes: number;
}

async function flow({ server, member, sender, bytes }: Flow): Promise<Omit<Streamed, 'through' | 'bytes'>> {
  const idleKiB = residentKiB(server.pid);
  resetPeak(server.pid);
  const sent = new Account();
  const read = new Account();
  let ahead = 0;
  const look = (): void => void (ahead = Math.max(ahead, sent.bytes - read.bytes));
  const feeding = sender.feed(watched(content(bytes), look), sent);
  const reading = readSlowly(member, { bytes, sent, read });
  await Promise.all([feeding, reading]);
  const answer = await sender.answer();
  const peak = peakKiB(server.pid);
  const whole = sent.digest() === read.digest();
  return { received: read.bytes, whole, ahead, known: knownBuffers(), idleKiB, peakKiB: peak, answer };
}

function* watched(chunks: Iterable<Buffer>, look: () => void): Generator<Buffer> {
  for (const chunk of chunks) {
    look();
    yield chunk;
  }
  look();
}

/** Reads a piece and rests; and none while the sender is not ahead by what the server's queue holds. */
async function readSlowly(member: Socket, { bytes, sent, read }: { bytes: number; sent: Account; read: Account }) {
  const held = Math.min(bytes, limits.maxQueuedBytes.default);
  for await (const chunk of member as AsyncIterable<Buffer>) {
    read.add(chunk);
    if (read.bytes >= bytes) return;
    do await pause(REST_MS);
    while (sent.bytes < bytes && sent.bytes - read.bytes < held);
  }
}

async function granted(url: string, request: object): Promise<Grant> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` };
  const body = JSON.stringify({ room: ROOM, ...request });
  const answer = await fetch(new URL('/porthouse/v1/sessions', url), { method: 'POST', headers, body });
  if (answer.status !== 201) throw new Error(`not granted: ${await answer.text()}`);
  return (await answer.json()) as Grant;
}

/** A member that receives the bytes of the room and nothing else. */
async function slowMember(url: string): Promise<Socket> {
  const scopes = ['receive'];
  const grant = await granted(url, { transport: 'tcp', framing: 'raw', create: SPEC, scopes });
  const { hostname, port } = new URL(grant.endpoints.pipe);
  const member = connect({ host: hostname, port: Number(port) }).pause();
  await new Promise((resolve) => member.write(`PH1 ${grant.pipeTicket} raw\n`, resolve));
  return member;
}

async function destination(through: Through, url: string): Promise<Destination> {
  if (through === 'ftp') {
    const { pipeTicket, endpoints } = await granted(url, { transport: 'ftp', scopes: ['send'] });
    return { url: `${endpoints.pipe}/x`, secret: pipeTicket };
  }
  const discovery = (await (await fetch(new URL('/.well-known/porthouse', url))).json()) as Discovery;
  const template = String(discovery.endpoints.pipe.form).replace('{room}', ROOM);
  return { url: new URL(template, url).href, secret: TOKEN };
}
