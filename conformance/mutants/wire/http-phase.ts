import type { Alterations, Endpoint, HttpRequest, HttpResponse } from '../mutant.js';
import { parseObject } from '../json.js';
import type { AddressBook } from './addresses.js';
import type { Framing, Head } from './http-head.js';
import { encodeHead, framingOf, headerOf } from './http-head.js';
import { asksUpgrade, encodeRequest, encodeResponse, readRequest, readResponse } from './http-message.js';
import { responseFraming, statusOf } from './http-message.js';
import { HttpSplitter } from './http-splitter.js';
import type { Tracker } from './tracker.js';

/** How a request for a WebSocket ended: what the server said and what the client was told may differ. */
export interface Upgrade {
  readonly request: HttpRequest;
  readonly byServer: boolean;
  readonly toClient: boolean;
}

/** The surroundings of a connection's HTTP phase. */
export interface PhaseOptions {
  readonly toClient: (bytes: Buffer) => void;
  readonly toServer: (bytes: Buffer) => void;
  readonly alterations: Alterations;
  readonly tracker: Tracker;
  readonly addresses: AddressBook;
  readonly endpointOf: (target: string) => Endpoint;
  readonly onUpgrade: (upgrade: Upgrade) => void;
  /** The hook for requests threw. */
  readonly onFault: (error: unknown) => void;
}

interface Part {
  readonly head: Head;
  readonly raw: Buffer[];
}

/** HTTP/1.1 of one connection, in both directions, until a 101. Requests are relayed as they come, responses whole. */
export class HttpPhase {
  readonly #options: PhaseOptions;
  readonly #requests: HttpSplitter;
  readonly #responses: HttpSplitter;
  readonly #waiting: HttpRequest[] = [];
  #incoming: Part | undefined;
  #outgoing: Part | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(options: PhaseOptions) {
    this.#options = options;
    this.#requests = new HttpSplitter({
      head: (head) => this.#requestHead(head),
      body: (raw) => this.#requestBody(raw),
      end: () => this.#requestEnd(),
      blind: (raw) => options.toServer(raw),
    });
    this.#responses = new HttpSplitter({
      head: (head) => this.#responseHead(head),
      body: (raw) => this.#outgoing?.raw.push(raw),
      end: () => this.#responseEnd(),
      blind: (raw) => options.toClient(raw),
    });
  }

  /** Bytes from the client. */
  fromClient(chunk: Buffer): void {
    this.#requests.push(chunk);
  }

  /** Bytes from the server. */
  fromServer(chunk: Buffer): void {
    this.#responses.push(chunk);
  }

  /** The server ended: a response cut short goes on as far as it came. */
  serverEnded(): void {
    this.#responses.finish();
    const part = this.#outgoing;
    if (part !== undefined) this.#options.toClient(Buffer.concat([part.head.raw, ...part.raw]));
    this.#outgoing = undefined;
  }

  /** Resolves when every request received so far has left. */
  settled(): Promise<void> {
    return this.#work;
  }

  /** Bytes of both directions that came after the 101. */
  takeRests(): { readonly fromClient: Buffer; readonly fromServer: Buffer } {
    return { fromClient: this.#requests.takeRest(), fromServer: this.#responses.takeRest() };
  }

  #requestHead(head: Head): Framing {
    const part: Part = { head, raw: [] };
    this.#incoming = part;
    if (this.#options.alterations.onHttpRequest === undefined) this.#options.toServer(this.#realHead(head));
    if (!asksUpgrade(head)) return framingOf(head.headers, { kind: 'none' });
    this.#requestEnd();
    return { kind: 'suspend' };
  }

  #realHead(head: Head): Buffer {
    const headers = this.#options.addresses.toReal(head.headers);
    const same = headers.every(([, value], i) => value === head.headers[i]?.[1]);
    return same ? head.raw : encodeHead(head.start, headers);
  }

  #requestBody(raw: Buffer): void {
    this.#incoming?.raw.push(raw);
    if (this.#options.alterations.onHttpRequest === undefined) this.#options.toServer(raw);
  }

  #requestEnd(): void {
    const part = this.#incoming;
    if (part === undefined) return;
    this.#incoming = undefined;
    const request = readRequest(part.head, Buffer.concat(part.raw), this.#options.endpointOf);
    const hook = this.#options.alterations.onHttpRequest;
    if (hook === undefined) this.#waiting.push(request);
    else {
      const forwarded = this.#work.then(async () => this.#forward(part, request, await hook(request)));
      this.#work = forwarded.catch((error: unknown) => this.#options.onFault(error));
    }
  }

  #forward(part: Part, request: HttpRequest, outcome: HttpRequest | HttpResponse): void {
    if ('status' in outcome)
      return this.#deliver(encodeResponse(outcome), { request, byServer: false, toClient: outcome.status === 101 });
    this.#waiting.push(outcome);
    if (outcome === request) this.#options.toServer(Buffer.concat([this.#realHead(part.head), ...part.raw]));
    else
      this.#options.toServer(encodeRequest({ ...outcome, headers: this.#options.addresses.toReal(outcome.headers) }));
  }

  #responseHead(head: Head): Framing {
    this.#outgoing = { head, raw: [] };
    const framing = responseFraming(head, this.#waiting[0]?.method ?? '');
    if (framing.kind === 'suspend') this.#responseEnd();
    return framing;
  }

  #responseEnd(): void {
    const part = this.#outgoing;
    if (part === undefined) return;
    this.#outgoing = undefined;
    const raw = Buffer.concat([part.head.raw, ...part.raw]);
    const request = statusOf(part.head) === 100 ? undefined : this.#waiting.shift();
    if (request === undefined) return this.#options.toClient(raw);
    const sent = readResponse(part.head, Buffer.concat(part.raw));
    const response = this.#withOwnAddresses(sent);
    this.#learn(response, request);
    const altered = this.#options.alterations.onHttpResponse?.(response, request) ?? response;
    if (altered !== response) this.#learn(altered, request);
    const upgrade = { request, byServer: sent.status === 101, toClient: altered.status === 101 };
    this.#deliver(altered === sent ? raw : encodeResponse(altered), upgrade);
  }

  #withOwnAddresses(response: HttpResponse): HttpResponse {
    if (response.json === undefined) return response;
    const text = response.body.toString('utf8');
    const own = this.#options.addresses.toOwn(text);
    if (own === text) return response;
    const body = Buffer.from(own, 'utf8');
    return { ...response, body, json: parseObject(body) };
  }

  #learn(response: HttpResponse, request: HttpRequest): void {
    const grant = request.endpoint === 'sessions' && response.status === 201 ? response.json : undefined;
    if (grant !== undefined) this.#options.tracker.grant(grant, headerOf(request.headers, 'authorization'));
  }

  #deliver(bytes: Buffer, upgrade: Upgrade): void {
    this.#options.toClient(bytes);
    if (upgrade.byServer || upgrade.toClient) this.#options.onUpgrade(upgrade);
    else this.#requests.resume();
  }
}
