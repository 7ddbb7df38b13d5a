import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { errorName } from './connect.js';
import type { DialogueRecord, Place } from './dialogue.js';
import type { Driver } from './driver.js';

/** Datagrams as they are, to one address and from there: what is sent is one, and each that is heard is a line. */
export class DatagramDriver implements Driver {
  readonly #socket: Socket;
  readonly #heard: (record: DialogueRecord) => void;
  #over = false;

  constructor({ host, port }: Place, heard: (record: DialogueRecord) => void) {
    this.#heard = heard;
    this.#socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    this.#socket.on('message', (datagram) => this.#tell({ type: 'line', text: datagram.toString('latin1') }));
    this.#socket.on('connect', () => this.#tell({ type: 'open' }));
    this.#socket.on('error', (error) => this.#end('reset', errorName(error)));
    this.#socket.connect(port, host);
  }

  send(): boolean {
    return false;
  }

  sendText(text: string): boolean {
    return this.sendRaw(Buffer.from(text));
  }

  sendRaw(bytes: Buffer): boolean {
    if (!this.#over) this.#socket.send(bytes);
    return !this.#over;
  }

  /** Nothing more is heard. */
  close(): void {
    this.#end('end', 'closed');
  }

  cut(): void {
    if (!this.#over) this.#socket.close();
    this.#over = true;
  }

  pause(): void {
    throw new Error('datagrams wait for nobody');
  }

  resume(): void {
    throw new Error('datagrams wait for nobody');
  }

  written(): Promise<boolean> {
    return Promise.resolve(!this.#over);
  }

  #end(how: 'end' | 'reset', what: string): void {
    this.#tell({ type: 'closed', how, what });
    this.cut();
  }

  #tell(record: DialogueRecord): void {
    if (!this.#over) this.#heard(record);
  }
}
