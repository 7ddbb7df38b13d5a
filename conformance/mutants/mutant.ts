import type { Json, JsonObject } from './json.js';

/** A server's fault, made on the wire between the kit and any server: one thing altered, everything else untouched. */
export interface WireMutant {
  /** Kebab-case, unique among all mutants, says what the faulty server does: `drops-every-third-event`. */
  readonly name: string;
  /** Requirement ids that the fault violates; the kit must FAIL each of them. */
  readonly breaks: readonly string[];
  /** Requirement ids that may FAIL besides, because they cannot be told apart from the fault. */
  readonly also: readonly string[];
  /** The fault in one sentence. */
  readonly what: string;
  /** Called once for each proxy, so that state kept in the closure never leaks from one run into the next. */
  readonly alter: (world: World) => Alterations;
}

/**
 * Where a mutant may interfere. Each hook gets one thing and answers with what goes on in its place: the same object
 * goes on with its very bytes, another one is encoded afresh, `[]` drops it, several send several. A direction without
 * a hook is relayed as it comes, not held until a message is whole.
 *
 * `onFrame…` sees each WebSocket frame of pipe and sibling, control frames included, before messages are put together.
 * `onSibling…` sees only text messages that are JSON objects; everything else passes by.
 */
export interface Alterations {
  readonly onHttpRequest?: (request: HttpRequest) => HttpRequest | HttpResponse | Promise<HttpRequest | HttpResponse>;
  readonly onHttpResponse?: (response: HttpResponse, request: HttpRequest) => HttpResponse;
  readonly onFrameToClient?: (frame: WireFrame, link: Link) => readonly WireFrame[];
  readonly onFrameToServer?: (frame: WireFrame, link: Link) => readonly WireFrame[];
  readonly onPipeToClient?: (message: Message, link: Link) => readonly Message[];
  readonly onPipeToServer?: (message: Message, link: Link) => readonly Message[];
  readonly onSiblingToClient?: (json: JsonObject, link: Link) => readonly JsonObject[];
  readonly onSiblingToServer?: (json: JsonObject, link: Link) => readonly JsonObject[];
  readonly onLinkClosed?: (link: Link) => void;
}

/** Which entry point a request came to; `other` is every path that discovery does not name. */
export type Endpoint = 'discovery' | 'sessions' | 'pipe' | 'sibling' | 'other';

/** One header line, the name as it stood on the wire. */
export type Header = readonly [name: string, value: string];

/** A request as the client sent it. `target` is the request target of its first line, `body` without its coding. */
export interface HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly endpoint: Endpoint;
  readonly headers: readonly Header[];
  readonly body: Buffer;
  readonly json: JsonObject | undefined;
}

/** A response as the server sent it; `json` is its body where that is a JSON object. */
export interface HttpResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly Header[];
  readonly body: Buffer;
  readonly json: JsonObject | undefined;
}

/** One message of a pipe, or one of a sibling before it is read as JSON. */
export interface Message {
  readonly kind: 'text' | 'binary';
  readonly payload: Buffer;
}

/** One WebSocket frame, unmasked. `masked` tells how it goes on; `rsv` is 0-7, RSV1 being 4. */
export interface WireFrame {
  readonly fin: boolean;
  readonly rsv: number;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

/** A WebSocket connection through the proxy. What is sent by its methods is not shown to any hook. */
export interface Link {
  readonly endpoint: 'pipe' | 'sibling';
  /** Data messages (pipe) that reached the proxy so far, the one at hand included. */
  readonly received: { readonly toClient: number; readonly toServer: number };
  /** The session that the ticket, or the accepted bind, belongs to. */
  readonly session: Session | undefined;
  /** The channel that a bind was accepted for. */
  readonly channel: 'command' | 'debug' | undefined;
  readonly open: boolean;
  /** The call that the reply `json` answers, as long as the proxy saw both. */
  readonly callFor: (json: JsonObject) => Call | undefined;
  readonly toClient: (message: Message | JsonObject) => void;
  readonly toServer: (message: Message | JsonObject) => void;
  /** Sends a close frame to the client and cuts the server's side. */
  readonly closeClient: (code: number) => void;
  /** Resets both sides. */
  readonly cut: () => void;
}

/** A call that a client made on a sibling. */
export interface Call {
  readonly id: Json | undefined;
  readonly method: string;
  readonly params: JsonObject;
}

/** What the proxy learned of a session from the grant and the binds that passed through it. */
export interface Session {
  readonly sid: string;
  readonly room: string;
  readonly grant: JsonObject;
  /** The `authorization` header of the request for the grant, undefined for an anonymous one. */
  readonly authorization: string | undefined;
  readonly pipe: Link | undefined;
  readonly command: Link | undefined;
  readonly debug: Link | undefined;
}

/** Everything that passes through one proxy. */
export interface World {
  readonly sessions: () => readonly Session[];
  /** Links still open, oldest first. */
  readonly links: () => readonly Link[];
  /** Where the server behind the proxy is. */
  readonly target: URL;
  /** The discovery document of the server behind the proxy. */
  readonly discovery: JsonObject;
  /** A request of the mutant's own to the server, past all hooks; `path` is resolved against the server's origin. */
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
}
