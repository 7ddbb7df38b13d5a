import { type Socket, connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Incoming } from './bytes.js';

export interface Ask {
  readonly method?: string;
  readonly path?: string;
  readonly version?: string;
  /** Those that a request cannot do without are there unless they are undefined. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | Buffer;
  /** Who vouches for a server of https. */
  readonly ca?: string;
}

export interface Answer {
  /** 0 where the connection ended without an answer. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The head of a request, as it is written. */
export function requestText({ method = 'GET', path = '/', version = '1.1', headers = {} }: Ask): string {
  const all: Ask['headers'] = { host: 'localhost', ...headers };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return `${[`${method} ${path} HTTP/${version}`, ...lines].join('\r\n')}\r\n\r\n`;
}

async function readChunks(incoming: Incoming): Promise<string> {
  let body = '';
  for (;;) {
    const size = parseInt((await incoming.until('\r\n'))?.toString() ?? '0', 16);
    const chunk = await incoming.take(size + 2);
    if (size === 0 || !chunk) return body;
    body += chunk.subarray(0, size).toString();
  }
}

/** One answer, whole. */
export async function readAnswer(incoming: Incoming, { head = false } = {}): Promise<Answer> {
  const text = (await incoming.until('\r\n\r\n'))?.toString('latin1');
  if (text === undefined) return { status: 0, headers: {}, body: '' };
  const [first = '', ...lines] = text.trimEnd().split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const status = Number(first.split(' ')[1]);
  if (head || status < 200) return { status, headers, body: '' };
  if (headers['transfer-encoding'] === 'chunked') return { status, headers, body: await readChunks(incoming) };
  const body = await incoming.take(Number(headers['content-length'] ?? 0));
  return { status, headers, body: body?.toString() ?? '' };
}

/** A connection to a server by its URL. */
export function dial(url: string, ca?: string): Socket {
  const { protocol, hostname: host, port } = new URL(url);
  const at = { host, port: Number(port) };
  const socket = protocol === 'https:' ? connectTls({ ...at, ca, servername: 'localhost' }) : connect(at);
  socket.on('error', () => undefined);
  return socket;
}

/** Asks one thing on a connection of its own. */
export async function ask(url: string, asked: Ask): Promise<Answer> {
  const { body, ca } = asked;
  const socket = dial(url, ca);
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  socket.write(requestText({ ...asked, headers: { connection: 'close', ...length, ...asked.headers } }));
  if (body !== undefined) socket.write(body);
  const answer = await readAnswer(new Incoming(socket), { head: asked.method === 'HEAD' });
  socket.destroy();
  return answer;
}

/** Asks until the figure of that name is what it should be, on one connection to the operator's listener. */
export async function figureBecomes(adminUrl: string, name: string, wanted: number): Promise<number> {
  const socket = dial(adminUrl);
  const incoming = new Incoming(socket);
  const line = new RegExp(`^${name} (\\d+)$`, 'm');
  let figure: number;
  do {
    socket.write(requestText({ path: '/metrics' }));
    figure = Number(line.exec((await readAnswer(incoming)).body)?.[1]);
  } while (figure !== wanted && !Number.isNaN(figure));
  socket.destroy();
  return figure;
}

/** The name of the error that an answer carries. */
export function errorOf({ body }: Answer): string | undefined {
  return (JSON.parse(body || '{}') as { error?: { name: string } }).error?.name;
}
