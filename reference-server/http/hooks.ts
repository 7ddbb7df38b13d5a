import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { validate } from '../../generated/validate.js';
import { faultPointer } from '../../support/fault.js';
import type { HttpRefusal } from '../ports/exchange.js';
import type { HookDoor } from '../ports/hooks.js';
import type { Refusal, Result } from '../ports/refusal.js';
import { readJson } from './body.js';
import { guardHost } from './guard.js';

/** Below this path each hook has its own. */
export const HOOKS_PATH = '/porthouse/v1/hooks';

/** Hooks are for whoever sits at the machine, under whatever names the server is reached otherwise. */
const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** The hooks of a server that has them. */
export interface HookServices {
  readonly door: HookDoor;
  readonly token: string;
  readonly httpBodyBytes: number;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** `POST <hooks>/<name>`: what the hook answers, or why it does nothing. `path` is below `HOOKS_PATH`. */
export async function hookFor(
  request: IncomingMessage,
  path: string,
  services: HookServices,
): Promise<object | HttpRefusal> {
  const barred = guard(request, services.token);
  if (barred) return barred;
  const hook = HOOKS.get(path.slice(HOOKS_PATH.length + 1));
  if (!hook) return { refused: 'not_found' };
  const body = await readJson(request, services.httpBodyBytes);
  return 'refused' in body ? body : hook(services.door, body.value);
}

/** In the order in which a stranger learns least: where it came from, then who sends it, then anything else. */
function guard(request: IncomingMessage, token: string): HttpRefusal | null {
  const { method, headers } = request;
  const foreign = guardHost(request, { scheme: 'http', hosts: LOOPBACK_NAMES, origins: [] });
  if (foreign) return foreign;
  if (headers.origin !== undefined) return { refused: 'origin_refused' }; // HOOK-3
  if (method !== 'POST') return { refused: 'method_not_allowed', headers: { allow: 'POST' } };
  const shown = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(shown), digest(token)) ? null : { refused: 'unauthenticated' }; // HOOK-2
}

type Hook = (door: HookDoor, body: unknown) => Result<object>;

const HOOKS: ReadonlyMap<string, Hook> = new Map([
  ['clock.advance', (door, body) => checked('http/hook-advance', body, (asked) => door.advance(asked))],
  ['inspect', (door, body) => checked('http/hook-scope', body, (asked) => door.inspect(asked))],
  ['simulate', (door, body) => checked('http/hook-simulate', body, (asked) => door.simulate(asked))],
]);

type HookBody = 'http/hook-advance' | 'http/hook-scope' | 'http/hook-simulate';
type BodyOf<K extends HookBody> = (typeof validate)[K] extends (value: unknown) => value is infer T ? T : never;

function checked<K extends HookBody>(key: K, body: unknown, run: (asked: BodyOf<K>) => Result<object>): Result<object> {
  const check = validate[key];
  if (check(body)) return run(body as BodyOf<K>);
  const refusal: Refusal = { refused: 'invalid_params', pointer: faultPointer(check.errors) };
  return refusal;
}
