import type { Socket } from 'node:net';
import { deliveredBytes, maskedFrame, openRaw } from './socket.js';

/** What one run of the load generator does; given to it as JSON. */
export interface Load {
  readonly url: string;
  readonly server: 'porthouse' | 'naive';
  readonly members: number;
  readonly payloadBytes: number;
  /** Messages sent before the next ones wait until every member has them all. */
  readonly burst: number;
  readonly ms: number;
}

interface Discovery {
  readonly endpoints: { readonly sessions: string; readonly pipe: { readonly websocket: string } };
}

async function ticket(sessions: URL, create: boolean): Promise<string> {
  const response = await fetch(sessions, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer dev.bench' },
    body: JSON.stringify({ room: 'bench', transport: 'websocket', ...(create ? { create: {} } : {}) }),
  });
  const grant = (await response.json()) as { pipeTicket: string };
  return `porthouse.ticket.${grant.pipeTicket}`;
}

async function openPorthouse(base: URL, count: number): Promise<Socket[]> {
  const discovery = (await (await fetch(new URL('/.well-known/porthouse', base))).json()) as Discovery;
  const sockets: Socket[] = [];
  for (let index = 0; index < count; index++) {
    const shown = await ticket(new URL(discovery.endpoints.sessions, base), index === 0);
    const pipe = new URL(discovery.endpoints.pipe.websocket, base);
    sockets.push(await openRaw(pipe, ['porthouse.pipe.v1', shown]));
  }
  return sockets;
}

async function openNaive(base: URL, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let index = 0; index < count; index++) sockets.push(await openRaw(base, []));
  return sockets;
}

/** Sends bursts to all members and waits for the last byte of each; resolves with deliveries per second. */
async function run(load: Load): Promise<number> {
  const open = load.server === 'porthouse' ? openPorthouse : openNaive;
  const [sender, ...members] = await open(new URL(load.url), load.members + 1);
  const burst = Buffer.concat(Array<Buffer>(load.burst).fill(maskedFrame(Buffer.alloc(load.payloadBytes, 0x61))));
  const expected = deliveredBytes(load.payloadBytes) * load.burst * members.length;
  let arrived = 0;
  let complete = (): void => undefined;
  for (const member of members) {
    member.on('data', (chunk) => {
      arrived += chunk.length;
      if (arrived >= expected) complete();
    });
  }
  const start = performance.now();
  let bursts = 0;
  while (performance.now() - start < load.ms) {
    arrived = 0;
    const all = new Promise<void>((resolve) => (complete = resolve));
    sender?.write(burst);
    await all;
    if (arrived !== expected) throw new Error(`${String(arrived)} bytes arrived instead of ${String(expected)}`);
    bursts++;
  }
  const seconds = (performance.now() - start) / 1000;
  for (const socket of [sender, ...members]) socket?.destroy();
  return (bursts * load.burst * members.length) / seconds;
}

process.stdout.write(`${String(await run(JSON.parse(process.argv[2] ?? '') as Load))}\n`);
