import type { Json } from './timeline.js';

/** An object of a case file. */
export type Fields = { readonly [key: string]: Json };

/** The verbs of CASES.md. */
export type Verb =
  | 'http'
  | 'grant'
  | 'open'
  | 'dial'
  | 'secure'
  | 'bind'
  | 'send'
  | 'raw'
  | 'ping'
  | 'call'
  | 'fence'
  | 'hold'
  | 'release'
  | 'close'
  | 'cut'
  | 'clock'
  | 'restart'
  | 'drain'
  | 'expect'
  | 'exactly'
  | 'none'
  | 'control'
  | 'retry';

/** Which part of a run a step belongs to; `bystander` steps are added to every case. */
export type Part = 'bystander' | 'given' | 'main';

/** One step, ready to be run and to be judged. Variables are not yet put in. */
export interface Step {
  readonly index: number;
  readonly part: Part;
  readonly verb: Verb;
  readonly fields: Fields;
  /** What must be seen, with its `at`; absent when the step only acts. */
  readonly expect?: Fields;
  readonly proves: readonly string[];
  readonly save: { readonly [name: string]: string };
  /** Line of the case file; 0 for a step that the kit added. */
  readonly line: number;
  /** The requirement without which this step cannot hold, where it proves none itself. */
  readonly needs?: string;
}

/** A step as its file has it. */
export interface CaseStep {
  readonly verb: Verb;
  readonly fields: Fields;
  readonly expect?: Fields;
  readonly proves: readonly string[];
  readonly save: { readonly [name: string]: string };
  readonly line: number;
}

/** A member as `given` describes it. */
export interface Member {
  readonly account: string;
  readonly room: string;
  readonly pipe: boolean;
  readonly command: boolean;
  readonly debug: boolean;
  /** Transport of its siblings, where it is another than WebSocket. */
  readonly siblings?: string;
  /** Whether its pipe opens before its command channel is bound. */
  readonly pipeFirst?: boolean;
  /** What is asked for beside the room: transport, framing, formats, scopes, limits. */
  readonly request: Fields;
}

/** The start of a case. */
export interface Given {
  /** Room key (`main` for `room`) to the overrides of its spec. */
  readonly rooms: { readonly [key: string]: Fields };
  readonly members: { readonly [name: string]: Member };
}

/** One case; one row of it, where the file has rows. */
export interface Case {
  readonly id: string;
  readonly title: string;
  readonly file: string;
  readonly line: number;
  readonly profiles?: readonly string[];
  /** Profiles that the server must not have declared: the case shows what happens without them. */
  readonly lacks: readonly string[];
  readonly tags: readonly string[];
  readonly accounts: number;
  /** A transport over which there must be TLS. */
  readonly tls?: string;
  /** What the naked endpoint must be like in which it takes place. */
  readonly naked?: Fields;
  /** Whether it uses the hooks of tests itself. */
  readonly hooks: boolean;
  readonly given: Given;
  readonly steps: readonly CaseStep[];
  readonly mutants: readonly string[];
  /** The only axes in which it may be permuted; absent for all that are safe. */
  readonly axes?: readonly string[];
  /** Runs without a bystander pair, before everything else. */
  readonly canary: boolean;
  /** What its pipes and siblings come by where it says nothing of that, before a server without WebSocket. */
  readonly usual?: 'tcp';
}

/** Whether `value` is an object of JSON. */
export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Splits `alice` and `alice.command` into member and socket. */
export function splitAt(at: string): { readonly member: string; readonly socket: string } {
  const dot = at.indexOf('.');
  return dot < 0 ? { member: at, socket: 'pipe' } : { member: at.slice(0, dot), socket: at.slice(dot + 1) };
}

/** The full name of a socket: `alice` is `alice.pipe`. */
export function fullAt(at: string): string {
  const { member, socket } = splitAt(at);
  return `${member}.${socket}`;
}

/** A value of a case file as text; what is no scalar as JSON. */
export function asText(value: Json | undefined): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
