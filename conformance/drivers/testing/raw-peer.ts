import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';

/** A listener on a free loopback port whose connections are in the hands of a function. */
export interface RawPeer {
  readonly port: number;
  /** Ends listener and connections. */
  close(): Promise<void>;
}

/** Starts listening with `server`, or with a plain TCP server that hands every connection to `onConnection`. */
export async function listenRaw(onConnection: (socket: Socket) => void, server?: Server): Promise<RawPeer> {
  const listener = server ?? createServer();
  const sockets = new Set<Socket>();
  listener.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  });
  listener.on(server === undefined ? 'connection' : 'secureConnection', onConnection);
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = listener.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      listener.close(() => {
        resolve();
      });
      for (const socket of sockets) socket.destroy();
    });
  return { port, close };
}

/** Calls `then` once with all bytes up to and including the empty line that ends an HTTP head. */
export function onHead(socket: Socket, then: (head: string) => void): void {
  let head = '';
  const listener = (chunk: Buffer): void => {
    head += chunk.toString('latin1');
    if (!head.includes('\r\n\r\n')) return;
    socket.off('data', listener);
    then(head);
  };
  socket.on('data', listener);
}
