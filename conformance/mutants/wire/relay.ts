import type { Socket } from 'node:net';

/** One direction between two sockets. `onEnd` runs, and is waited for, before the end is passed on. */
export interface RelayOptions {
  readonly source: Socket;
  readonly sink: Socket;
  readonly onData: (chunk: Buffer) => void;
  readonly onEnd: () => Promise<void> | void;
}

/** Reads `source` no faster than `sink` takes it, and passes its end or reset on. Returns a function that stops that. */
export function relay({ source, sink, onData, onEnd }: RelayOptions): () => void {
  let attached = true;
  source.on('data', (chunk: Buffer) => {
    if (!attached) return;
    onData(chunk);
    if (sink.writableNeedDrain) source.pause();
  });
  sink.on('drain', () => source.resume());
  source.on('end', () => {
    void Promise.resolve(onEnd()).then(() => attached && sink.end());
  });
  source.on('error', () => attached && sink.resetAndDestroy());
  source.on('close', () => attached && !source.readableEnded && sink.destroy());
  return () => {
    attached = false;
    source.resume();
  };
}

/** Writes to a socket that may be gone by now. */
export function writeIfOpen(socket: Socket | undefined, bytes: Buffer): void {
  if (socket !== undefined && socket.writable) socket.write(bytes);
}
