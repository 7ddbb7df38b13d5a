import type { EndCause, Limits } from '../../../generated/types.js';
import type { GrantDoor, RoomNames } from '../../ports/access.js';
import type { Cancel, Clock } from '../../ports/clock.js';
import type { Kind } from '../../ports/message.js';
import type { PipeDoor, PipeOffer } from '../../ports/pipe.js';
import type { ByteListeners, ByteSocket } from '../../ports/sockets.js';
import type { SecureSockets } from '../../ports/tls.js';
import { COMMANDS } from './commands.js';
import { Control } from './control.js';
import type { DataDoor } from './data.js';
import { type Membership, open } from './member.js';
import { lastWords, refusal, reply } from './words.js';

/** Commands that may wait for the one that is being carried out (FTP-45). */
const MOST_WAITING = 64;
/** How long the last words may take to be heard. */
const LAST_WORDS_MS = 2000;

export interface FtpServices {
  readonly door: PipeDoor;
  readonly grants: GrantDoor;
  readonly rooms: RoomNames;
  readonly clock: Clock;
  readonly limits: Readonly<Required<Limits>>;
  /** Where data connections come in. */
  readonly listeners: ByteListeners;
  /** The address that PASV names; null: where the control connection came in. */
  readonly passiveAddress: string | null;
  /** Null where the server has no certificate. */
  readonly tls: SecureSockets | null;
  /** Whether nobody may log in without TLS (SEC-6). */
  readonly tlsOnly: boolean;
  readonly onError: (error: unknown) => void;
}

/** A transfer under way. */
export interface Transfer {
  /** Breaks it off: because the client asks for it, or because nobody is there any more. */
  abort(why: 'asked' | 'lost'): void;
}

/** One control connection, from its greeting to its last words. */
export class Dialogue {
  readonly services: FtpServices;
  readonly control: Control;
  /** Who says to be there, from USER on; null before. */
  user: 'porthouse' | 'anonymous' | null = null;
  /** Whether PASS has been accepted. */
  known = false;
  wrongPasses = 0;
  /** Whether the working directory is the room, and not the root. */
  inRoom = false;
  kind: Kind = 'text';
  protection: { secured: boolean; sized: boolean; level: 'C' | 'P' } = { secured: false, sized: false, level: 'C' };
  extendedOnly = false;
  /** Length that ALLO announced for the next upload. */
  allocated: number | null = null;
  member: Membership | null = null;
  data: DataDoor | null = null;
  #transfer: Transfer | null = null;
  readonly #waiting: string[] = [];
  #working = false;
  #inputOver: 'ended' | 'broken' | null = null;
  #over = false;
  #stopTimer: Cancel = () => undefined;

  constructor(socket: ByteSocket, services: FtpServices) {
    this.services = services;
    this.control = new Control(socket, {
      lines: (lines) => this.#arrived(lines),
      over: (how) => this.#ended(how),
      violated: () => this.end('protocol_error'),
    });
    this.#watch(services.limits.bindMs, 'login');
    this.reply(reply(220, 'porthouse'));
  }

  /** The room that is the working directory; null in the root (FTP-34). */
  get room(): string | null {
    return this.inRoom ? (this.member?.room ?? null) : null;
  }

  get transfer(): Transfer | null {
    return this.#transfer;
  }

  /** An ABOR that came before the transfer had begun, with it or behind other commands, means it as well. */
  set transfer(transfer: Transfer | null) {
    this.#transfer = transfer;
    if (transfer) this.#abortIfAsked(transfer);
  }

  /** In force here: those of the session, or the server's own. */
  get limits(): Readonly<Required<Limits>> {
    return this.member?.limits ?? this.services.limits;
  }

  get clock(): Clock {
    return this.member?.clock ?? this.services.clock;
  }

  /** Whether something has come behind the command that is being carried out. */
  get pipelined(): boolean {
    return this.#waiting.length > 0 || this.control.unfinished;
  }

  /** Whether the client has said its last, so that no transfer begins any more. */
  get deaf(): boolean {
    return this.#inputOver !== null;
  }

  reply(text: string): void {
    this.control.write(text);
  }

  /** Enters a session, whose pipe is open from here on; the one before is left. */
  enter(offer: PipeOffer): Membership {
    this.leave('closed_by_peer');
    const member: Membership = open(offer, (cause) => this.#closed(member, cause));
    this.member = member;
    this.inRoom = true;
    return member;
  }

  /** Ends the pipe, where there is one; the control connection goes on. */
  leave(cause: EndCause): void {
    const { member } = this;
    this.member = null;
    member?.pipe.over();
    member?.pipe.source.ended(cause);
  }

  /** Ends everything, for a reason of the transport's own. */
  end(cause: EndCause, words = lastWords(cause)): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting.length = 0;
    this.leave(cause);
    this.#finish(words);
  }

  /** The server is about to stop. */
  drain(): void {
    if (!this.member) this.end('draining');
  }

  /** The router has ended the pipe: a stream gets its rest, then the last words go out. */
  #closed(member: Membership, cause: EndCause): void {
    if (this.member !== member || this.#over) return;
    this.#over = true;
    this.#waiting.length = 0;
    this.member = null;
    if (!this.#working || member.pipe.fetches) this.#finish(lastWords(cause));
    else void this.#idle().then(() => this.#finish(lastWords(cause)));
  }

  #finish(words: string): void {
    this.#stopTimer();
    this.transfer?.abort('lost');
    this.data?.close();
    this.control.end(words);
    const stop = this.services.clock.after(LAST_WORDS_MS, () => this.control.destroy());
    this.control.socket.stream.once('close', stop);
  }

  /** All that came together waits before the first of it is carried out, so that it is seen to have come. */
  #arrived(lines: readonly string[]): void {
    if (this.#over) return;
    this.#waiting.push(...lines);
    if (this.#transfer) this.#abortIfAsked(this.#transfer);
    void this.#work();
    setImmediate(() => this.#count());
  }

  /** What waits one turn later waits behind a command that takes time, and not because it came together with others. */
  #count(): void {
    if (this.#waiting.length > MOST_WAITING) this.end('protocol_error'); // FTP-45
  }

  /** ABOR goes before all that wait (FTP-4, FTP-29). */
  #abortIfAsked(transfer: Transfer): void {
    const at = this.#waiting.findIndex((line) => verbOf(line) === 'ABOR');
    if (at < 0) return;
    this.#waiting.unshift(...this.#waiting.splice(at, 1));
    transfer.abort('asked');
  }

  #idleWaits: (() => void)[] = [];

  /** Resolves when no command is being carried out. */
  #idle(): Promise<void> {
    return this.#working ? new Promise((resolve) => this.#idleWaits.push(resolve)) : Promise.resolve();
  }

  /** Carries out one command after the other. */
  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    this.#stopTimer();
    for (let line = this.#waiting.shift(); line !== undefined; line = this.#waiting.shift()) {
      await this.#run(line);
      if (this.#inputOver) this.transfer?.abort('lost');
    }
    this.#working = false;
    for (const waits of this.#idleWaits.splice(0)) waits();
    if (this.#over) return;
    if (this.#inputOver) this.end('lost', '');
    else this.#watch(this.known ? this.limits.ftpIdleMs : this.services.limits.bindMs, this.known ? 'idle' : 'login');
  }

  async #run(line: string): Promise<void> {
    const verb = verbOf(line);
    const command = COMMANDS.get(verb);
    try {
      if (!command) this.reply(reply(502, 'not_implemented'));
      else if (command.needs !== 'nothing' && !this.known) this.reply(reply(530, 'unauthenticated'));
      else await command.run(this, line.slice(verb.length).replace(/^ /, ''));
    } catch (error) {
      this.services.onError(error);
      this.reply(refusal('internal_error'));
    }
  }

  /** The client has ended its direction, or is gone: what it asked for before is done, but no transfer goes on. */
  #ended(how: 'ended' | 'broken'): void {
    this.#inputOver ??= how;
    if (this.#over) return;
    if (how === 'broken') this.#waiting.length = 0;
    this.transfer?.abort('lost');
    if (!this.#working) this.end('lost', '');
  }

  #loginDue: number | null = null;

  /** Time for a client that says nothing; the time to log in is not made longer by commands. */
  #watch(ms: number, what: 'login' | 'idle'): void {
    this.#stopTimer();
    const { clock } = this;
    if (what === 'login') this.#loginDue ??= clock.now() + ms;
    const left = what === 'login' ? Math.max(0, (this.#loginDue ?? 0) - clock.now()) : ms;
    this.#stopTimer = clock.after(left, () => this.end('timeout'));
  }
}

function verbOf(line: string): string {
  return (/^[A-Za-z]+/.exec(line)?.[0] ?? '').toUpperCase();
}
