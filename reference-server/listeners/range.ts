import type { ByteListener, ByteListeners, PortRange } from '../ports/sockets.js';

const isTaken = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EADDRINUSE';

/**
 * Listeners that take the ports of a range in turn, so that one that was just used rests the longest, in place of the
 * port that they are asked for. Where none is free they reject with EADDRINUSE.
 */
export function withinPorts(listeners: ByteListeners, { first, last }: PortRange): ByteListeners {
  let next = first;
  return {
    async listen({ host }, accept): Promise<ByteListener> {
      for (let tries = last - first; ; tries--) {
        const port = next;
        next = port === last ? first : port + 1;
        try {
          return await listeners.listen({ host, port }, accept);
        } catch (error) {
          if (!isTaken(error) || tries === 0) throw error;
        }
      }
    },
  };
}
