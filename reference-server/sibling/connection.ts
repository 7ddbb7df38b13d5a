import type { CallParams, Grant, Limits } from '../../generated/types.js';
import { validate } from '../../generated/validate.js';
import { faultPointer } from '../../support/fault.js';
import type { Authenticator, GrantDoor } from '../ports/access.js';
import type { Cancel, Clock, Entropy } from '../ports/clock.js';
import type { Refusal, Result } from '../ports/refusal.js';
import type { Binding, SiblingDoor } from '../ports/sibling.js';
import { HOLDING, perform } from './calls.js';
import { Outlet, type SiblingWire } from './outlet.js';
import { type Call, type CallId, eventText, readCall, replyText } from './rpc.js';

const NONCE_BYTES = 16;

/** What bounds a sibling: the server's values before the bind, the session's after it. */
type SiblingLimits = Pick<Required<Limits>, 'bindMs' | 'keepaliveMs' | 'siblingMessageBytes' | 'siblingQueuedBytes'>;

export interface SiblingServices {
  readonly siblings: SiblingDoor;
  readonly grants: GrantDoor;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly limits: SiblingLimits;
  readonly server: { readonly name: string; readonly version: string };
  /** A fault of the server's own. */
  readonly onError: (error: unknown) => void;
}

/** What a client may be thrown out for. */
type Fault =
  'invalid_utf8' | 'bind_refused' | 'bind_timeout' | 'message_too_long' | 'not_text' | 'timeout' | 'draining';

/** The socket under a sibling connection. */
export interface ConnectionWire extends SiblingWire {
  /** Closes for a fault of the client's, in the registry's words. */
  refuse(name: Fault): void;
  /** Leaves off reading, or takes it up again. */
  reading(on: boolean): void;
}

type Reply = (result: object) => void;

/** One sibling socket from hello to close, whatever carries its JSON texts. */
export class SiblingConnection {
  readonly #services: SiblingServices;
  readonly #wire: ConnectionWire;
  readonly #outlet: Outlet;
  readonly #nonce: string;
  readonly #bindTimeout: Cancel;
  #binding: Binding | null = null;
  #created = false;
  #holding = false;
  /** Texts that came behind a call which is still being carried out; reading stops meanwhile, so that they are few. */
  #behind: string[] = [];
  #reading = true;
  #over = false;
  #bound: string | undefined;
  #finished: (() => void) | null = null;

  constructor(services: SiblingServices, wire: ConnectionWire) {
    this.#services = services;
    this.#wire = wire;
    this.#outlet = new Outlet(this.#wireOfOutlet(), services.limits.siblingQueuedBytes);
    this.#nonce = services.entropy.bytes(NONCE_BYTES).toString('base64url');
    this.#bindTimeout = services.clock.after(services.limits.bindMs, () => this.refuse('bind_timeout'));
    wire.send(eventText('sibling.hello', { nonce: this.#nonce, versions: [1], server: services.server }));
  }

  /** Those in force now. */
  get limits(): SiblingLimits {
    return this.#binding?.result.state.limits ?? this.#services.limits;
  }

  /** The session's once it is bound. */
  get clock(): Clock {
    return this.#binding?.clock ?? this.#services.clock;
  }

  /** The session that it is bound to. */
  get sid(): string | undefined {
    return this.#bound;
  }

  /** Whether the client is read from. */
  get listening(): boolean {
    return this.#reading;
  }

  /** The client says no more: what it has called for at once is answered, and then there is nothing left to do. */
  finish(done: () => void): void {
    this.#finished = done;
    this.#finishIfAnswered();
  }

  #finishIfAnswered(): void {
    if (!this.#finished || this.#holding || this.#over) return;
    this.ended();
    this.#finished();
  }

  /** One JSON text from the client. */
  receive(text: string): void {
    if (this.#over) return;
    if (this.#holding) this.#behind.push(text);
    else this.#take(text);
    this.#regulate();
  }

  /** The wire has taken something. */
  drained(): void {
    this.#outlet.wake();
    this.#regulate();
  }

  /** The client broke a rule of the socket; nothing that it sends from now on counts. */
  refuse(name: Fault): void {
    if (this.#over) return;
    this.ended();
    this.#wire.refuse(name);
  }

  /** The server is about to stop; a bound sibling hears it from its session. */
  drain(): void {
    if (!this.#binding) this.refuse('draining');
  }

  /** The client is not heard any more, whatever it has sent already (BIND-5, BIND-12). */
  ended(): void {
    this.#over = true;
    this.#behind = [];
    this.#bindTimeout();
    this.#outlet.end();
    this.#binding?.release();
    this.#binding = null;
    this.#wire.reading(true); // up to the answer to a close frame
  }

  #wireOfOutlet(): SiblingWire {
    const wire = this.#wire;
    return {
      get queued() {
        return wire.queued;
      },
      send: (text) => wire.send(text),
      close: (reason) => {
        this.ended();
        wire.close(reason);
      },
      cut: () => {
        this.ended();
        wire.cut();
      },
    };
  }

  /** While the client does not read replies, no more calls are taken from it (SIB-8). */
  #regulate(): void {
    const reading = this.#over || !(this.#holding || this.#outlet.congested);
    if (reading !== this.#reading) this.#wire.reading(reading);
    this.#reading = reading;
  }

  #take(text: string): void {
    const call = readCall(text);
    if ('refusal' in call) {
      this.#outlet.reply(replyText(call.id, call.refusal));
      return;
    }
    const reply = HOLDING.has(call.method) ? this.#held(this.#replier(call.id)) : this.#replier(call.id);
    try {
      if (this.#binding) perform(this.#binding, call, reply);
      else this.#open(call, reply);
    } catch (error) {
      reply(this.#failed(error));
    }
  }

  #failed(error: unknown): Refusal {
    this.#services.onError(error);
    return { refused: 'internal_error' };
  }

  #replier(id: CallId | undefined): Reply {
    return (result) => {
      const answer = result instanceof Error ? this.#failed(result) : result;
      if (id !== undefined && !this.#over) this.#outlet.reply(replyText(id, answer));
    };
  }

  /** Calls that come behind this one wait until it is answered, so that replies keep their order (RPC-7). */
  #held(reply: Reply): Reply {
    this.#holding = true;
    return (result) => {
      this.#holding = false;
      reply(result);
      for (const text of this.#behind.splice(0)) this.receive(text);
      this.#regulate();
      this.#finishIfAnswered();
    };
  }

  #open(call: Call, reply: Reply): void {
    if (call.method === 'sibling.bind') this.#bind(call, reply);
    else if (call.method === 'session.create') this.#create(call, reply);
    else reply({ refused: 'not_bound' });
  }

  #bind(call: Call, reply: Reply): void {
    const check = validate['calls/sibling.bind.params'];
    if (!check(call.params)) {
      reply({ refused: 'invalid_params', pointer: faultPointer(check.errors) });
      return;
    }
    const binding = this.#services.siblings.bind(call.params, this.#nonce, this.#outlet);
    if ('refused' in binding) {
      reply(binding);
      this.refuse('bind_refused'); // BIND-5
      return;
    }
    this.#bindTimeout();
    reply(binding.result);
    this.#binding = binding;
    this.#bound = binding.sid;
    this.#outlet.follow(binding);
    this.#outlet.wake();
  }

  /** One grant for a connection, so that a client with one socket can do everything (OPEN-18, OPEN-19). */
  #create(call: Call, reply: Reply): void {
    const check = validate['calls/session.create.params'];
    if (!check(call.params)) reply({ refused: 'invalid_params', pointer: faultPointer(check.errors) });
    else if (this.#created) reply({ refused: 'invalid_request' });
    else void this.#grant(call.params, reply);
  }

  async #grant({ token, ...request }: CallParams['session.create'], reply: Reply): Promise<void> {
    const held = this.#held(reply);
    const result = await this.#granted(token, request).catch((error: unknown) => this.#failed(error));
    this.#created = !('refused' in result);
    held(result);
  }

  async #granted(
    token: string | undefined,
    request: Omit<CallParams['session.create'], 'token'>,
  ): Promise<Result<Grant>> {
    const { authenticator, grants } = this.#services;
    const identity = token === undefined ? { account: null } : await authenticator.authenticate(token);
    if (!identity || this.#over) return { refused: 'unauthenticated' };
    return grants.grant(request, identity.account);
  }
}
