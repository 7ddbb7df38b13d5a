import type { HeaderField, TlsSettings } from './connect.js';
import type { OpenResult } from './websocket/opening.js';
import type { Impairment } from './udp/impairment.js';
import type { RawDatagram } from './udp/socket.js';
import type { RawFrame } from './websocket/socket.js';

/** What a message can be to its transport; a WebSocket sends JSON as text. */
export type MessageKind = 'text' | 'binary' | 'json';

/** A message to send; where the transport has frames, cut into `fragments` (default 1). */
export interface Outgoing {
  readonly kind: MessageKind;
  readonly payload: Buffer;
  readonly fragments?: number | undefined;
  /** Spared by a network that does harm on purpose. */
  readonly sure?: boolean | undefined;
}

/**
 * What an observer is told, in the order of the wire. `close` is the other side's last word where the transport has
 * one, with a number of its own (a close code, a reply code). `eof` is the end in order (FIN) with `unfinishedBytes` of
 * a message that never became whole; `reset` is a connection that broke. One of the two is the last record of a
 * connection, unless the kit itself cut it. `violation` names a rule of the transport that the server broke. `receipt`
 * is what the transport itself says became of the message that was sent next.
 */
export type DriverRecord =
  | { readonly type: 'message'; readonly kind: MessageKind; readonly payload: Buffer }
  | { readonly type: 'ping'; readonly payload: Buffer }
  | { readonly type: 'pong'; readonly payload: Buffer }
  | { readonly type: 'close'; readonly code: number; readonly reason: string }
  | { readonly type: 'receipt'; readonly code: number; readonly facts: { readonly [name: string]: string | number } }
  | { readonly type: 'violation'; readonly what: string }
  | { readonly type: 'eof'; readonly unfinishedBytes: number }
  | { readonly type: 'reset'; readonly error: string };

/**
 * One connection of the kit, with codecs of the kit's own. Sending never throws once opened: after the end it does
 * nothing and returns false. A `false` means: await `written` before sending much more.
 */
export interface Driver {
  send(message: Outgoing): boolean;
  /** Sends one JSON text on a sibling. */
  sendText(text: string): boolean;
  /** Sends bytes as they are. */
  sendRaw(bytes: Buffer): boolean;
  /** Sends one frame of RFC 6455 as described, legal or not; only where there are such. */
  sendFrame?(frame: RawFrame): boolean;
  /** Sends one datagram of UDP as described, legal or not, and returns its bytes; only where there are such. */
  sendDatagram?(datagram: RawDatagram): Buffer;
  /** Whether the next message will be lost, by a network that does harm on purpose. */
  readonly losesNext?: boolean;
  /** Asks for a sign of life, which comes back as `pong`; only where the transport has that. */
  ping?(payload: Buffer): boolean;
  /** Ends the connection in order, in the transport's own words; `code` and `reason` where it has such. */
  close(code?: number, reason?: string): unknown;
  /** Breaks the connection off. The driver is silent from then on. */
  cut(): void;
  /** Ends what the client sends without a close_notify, where there is TLS. */
  truncate?(): void;
  /** Goes on inside TLS, whatever has been said; only on plain connections. */
  secure?(tls: TlsSettings): void;
  /** Stops reading, so that the server feels it, and reads on. */
  pause(): void;
  resume(): void;
  /** Resolves with true once the system has taken everything sent so far, with false if the connection ended before. */
  written(signal?: AbortSignal): Promise<boolean>;
}

/** How to open a pipe or a sibling. What a transport does not have it does not look at. */
export interface Way {
  readonly kind: 'pipe' | 'sibling';
  readonly url: URL;
  readonly ticket: string;
  /** Of the session, for those that prove themselves with it. */
  readonly siblingSecret: string;
  readonly framing: string | undefined;
  /** Of the grant, for UDP. */
  readonly udpAssoc?: string | undefined;
  /** What the network shall do to what is sent, over UDP. */
  readonly impairment?: Impairment | undefined;
  /** Over UDP: the case says every word itself, the opening among them. */
  readonly byHand?: boolean;
  /** What the case offers instead of what the protocol wants: subprotocols, or the first bytes of a connection over TCP. */
  readonly protocols: readonly string[] | undefined;
  readonly headers: readonly HeaderField[];
  readonly omit: readonly string[];
  readonly tls?: TlsSettings | undefined;
  readonly signal: AbortSignal;
  /** Called from the first byte on, which can be before the opening is decided. */
  readonly onRecord: (record: DriverRecord) => void;
}

/** A connection being opened. `result` rejects with the reason of an aborted signal only. */
export interface Opening {
  readonly driver: Driver;
  /** What was offered, for the record. */
  readonly protocols: readonly string[];
  readonly result: Promise<OpenResult>;
}

/** Starts to open a connection over one transport. */
export type Open = (way: Way) => Opening;
