import type { Socket } from 'node:net';
import { RecordQueue } from '../record-queue.js';
import type { OpenOptions, OpenResult } from '../websocket/opening.js';
import type { WebSocketDriverOptions, WebSocketRecord } from '../websocket/socket.js';
import { WebSocketDriver } from '../websocket/socket.js';
import type { RawPeer } from './raw-peer.js';
import { listenRaw, onHead } from './raw-peer.js';

/** The key of the example in RFC 6455 section 1.3, so that the accept value is not computed by what is tested. */
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
/** The accept value of that example, as a field. */
export const ACCEPT = 'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n';
/** What a 101 has besides. */
export const UPGRADE = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
/** A whole head that accepts `KEY`. */
export const HEAD = `${UPGRADE}${ACCEPT}\r\n`;

/** Hex digits, with spaces where one likes, to bytes. */
export const bytes = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');

/** `HEAD` and the frames given as hex digits, to be written at once. */
export const headAnd = (digits: string): Buffer => Buffer.concat([Buffer.from(HEAD), bytes(digits)]);

/** The peer's address. */
export const urlOf = (peer: RawPeer): string => `ws://127.0.0.1:${peer.port}/`;

/** The record of an unfragmented text message. */
export const text = (payload: string): WebSocketRecord => ({
  type: 'message',
  kind: 'text',
  payload: Buffer.from(payload),
  fragments: 1,
});

/** The part of a test that helpers need. */
export interface Owner {
  teardown(fn: () => unknown): void;
}

/** A driver and everything that it recorded. */
export interface Client {
  readonly driver: WebSocketDriver;
  readonly records: RecordQueue<WebSocketRecord>;
}

/** A client that is cut when its test ends. */
export function newClient(owner: Owner, options: Partial<WebSocketDriverOptions> = {}): Client {
  const records = new RecordQueue<WebSocketRecord>();
  const driver = new WebSocketDriver({ onRecord: records.push, ...options });
  owner.teardown(() => {
    driver.cut();
  });
  return { driver, records };
}

/** Opens `client` at `peer` with `KEY`. */
export const openAt = (client: Client, peer: RawPeer, options: Partial<OpenOptions> = {}): Promise<OpenResult> =>
  client.driver.open({ url: urlOf(peer), key: KEY, ...options });

/** Every record up to the last that there can be. */
export async function allUntilEnd({ records }: Client): Promise<WebSocketRecord[]> {
  const all: WebSocketRecord[] = [];
  for (;;) {
    const record = await records.next();
    all.push(record);
    if (record.type === 'eof' || record.type === 'reset') return all;
  }
}

/** A peer that answers every head with `answer`, in one write, and then hands the socket to `then`. */
export async function answering(
  owner: Owner,
  answer: Buffer | string,
  then: (socket: Socket) => void = () => undefined,
): Promise<RawPeer> {
  const peer = await listenRaw((socket) => {
    onHead(socket, () => {
      socket.write(answer);
      then(socket);
    });
  });
  owner.teardown(peer.close);
  return peer;
}
