import type { ByteSocket } from './sockets.js';

/** Takes the server's part of TLS (RFC 8446, RFC 5246) on connections that are there already. */
export interface SecureSockets {
  /**
   * What is said inside. `sent` is the socket as it came: nothing may have been read from it that is not handed back.
   * A connection that ends without a close_notify breaks off: its stream fails, instead of coming to its end, so that
   * nobody takes a part for the whole (RFC 8446, section 6.1).
   */
  secure(socket: ByteSocket): ByteSocket;
}
