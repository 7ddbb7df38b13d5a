import type { ByteSocket } from '../../ports/sockets.js';
import { Dialogue, type FtpServices } from './dialogue.js';
import { lastWords } from './words.js';

/** The FTP input method (RFC 959): a control connection is a pipe, and its data connections carry the messages. */
export class FtpIngress {
  readonly #services: FtpServices;
  readonly #dialogues = new Set<Dialogue>();
  #draining = false;

  constructor(services: FtpServices) {
    this.#services = services;
  }

  /** A control connection has come in. */
  connect(socket: ByteSocket): void {
    if (this.#draining) {
      socket.stream.on('error', () => undefined).resume();
      socket.stream.end(lastWords('draining'), () => socket.stream.destroy());
      return;
    }
    const dialogue = new Dialogue(socket, this.#services);
    this.#dialogues.add(dialogue);
    socket.stream.once('close', () => this.#dialogues.delete(dialogue));
  }

  /** Takes nobody new; who is in a room hears of the end from the router, the others hear it now. */
  drain(): void {
    this.#draining = true;
    for (const dialogue of this.#dialogues) dialogue.drain();
  }
}
