import type { HeaderField } from '../drivers/http.js';
import { request } from '../drivers/http.js';
import { quantity } from '../judge/scope.js';
import { asText, isFields } from '../model.js';
import type { Fields } from '../model.js';
import { isExclusive } from '../plan.js';
import { limitOf } from '../register.js';
import type { HttpBody, Json, RunBody } from '../timeline.js';
import { parseJson } from './connection.js';
import { seededBytes } from './content.js';
import { formAddress, formOf, isForm } from './form.js';
import type { Run } from './run.js';

/** A request of a run. */
export interface Exchanging {
  readonly at: string;
  readonly method: string;
  readonly url: URL;
  readonly headers: readonly HeaderField[];
  readonly body?: Buffer;
  /** Sent as it is, in place of all of the above. */
  readonly raw?: Buffer;
  /** Hashes of the messages in a form, where the kit knows them. */
  readonly posted?: HttpBody['posted'];
  /** Made of whatever the case liked, so that it is not held against the kit. */
  readonly odd: boolean;
  /** Whether it may share a connection with others of the run. */
  readonly shared?: boolean;
}

/** Starts an exchange; request and response are recorded. Resolves when the response, or its failure, is. */
export function exchange(run: Run, exchanging: Exchanging): Promise<void> {
  const { at, method, url, headers, body, raw, odd, shared, posted } = exchanging;
  const text = body?.toString('utf8');
  const json = text === undefined ? undefined : parseJson(text);
  run.append({
    type: 'http',
    at,
    dir: 'out',
    method,
    url: url.href,
    headers,
    bytes: (raw ?? body)?.length ?? 0,
    ...(json === undefined ? {} : { json }),
    ...(json === undefined && text !== undefined ? { body: text.slice(0, 1024) } : {}),
    ...(raw === undefined ? {} : { body: raw.toString('latin1') }),
    ...(odd ? { odd } : {}),
    ...(posted === undefined ? {} : { posted }),
  });
  // A server that is asked to end must not find anybody waiting on a connection of which the case knows nothing.
  const kept = shared === true && !isExclusive(run.of) ? run.kept : undefined;
  return request({ url, method, headers, body, rawRequest: raw, signal: run.signal, kept, tls: run.target.tls }).then(
    (result) => {
      run.append(responseBody(at, result));
    },
    () => undefined,
  );
}

function responseBody(at: string, result: Awaited<ReturnType<typeof request>>): HttpBody {
  const common = { type: 'http', at, dir: 'in', violations: result.violations } as const;
  if (result.type === 'failed') {
    return { ...common, failed: `${result.why} ${result.error}`, headers: [], bytes: 0 };
  }
  const text = result.body.toString('utf8');
  const json = parseJson(text);
  const content = json === undefined ? { body: text } : { json };
  return { ...common, status: result.status, headers: result.headers, bytes: result.body.length, ...content };
}

/** The `http` verb. */
export function httpStep(run: Run, fields: Fields, step: number): Promise<void> {
  const { as, to, method } = fields;
  const url = addressOf(run, asText(to));
  const form = formOf(run, fields, step);
  const body = form?.body ?? bodyOf(run, fields, step);
  const type = form?.type ?? (fields['json'] === undefined ? undefined : 'application/json');
  const headers = headersOf(run, fields, type === undefined ? {} : { 'content-type': type });
  const chunked = fields['chunked'] === true && body !== undefined;
  return exchange(run, {
    at: asText(as),
    method: typeof method === 'string' ? method : form ? 'POST' : 'GET',
    url,
    ...((form || isForm(asText(to))) && body ? { posted: form?.posted ?? 'unknown' } : {}),
    headers: chunked ? [...headers, ['transfer-encoding', 'chunked']] : headers,
    ...(body === undefined ? {} : { body: chunked ? inChunks(body) : body }),
    odd: true,
  });
}

/** The `grant` verb: a session for a member. */
export function grantStep(run: Run, fields: Fields): Promise<void> {
  const request: Fields = isFields(fields['request']) ? fields['request'] : {};
  const create = createOf(run, fields);
  const body: Fields = {
    room: roomOf(run, fields['room']),
    transport: run.of.usual ?? 'websocket',
    ...(create === undefined ? {} : { create: isFields(create) ? withLimits(run, create) : create }),
    ...withLimits(run, withLives(request, fields['lives'])),
  };
  return exchange(run, {
    at: `${asText(fields['as'])}.grant`,
    method: 'POST',
    url: run.target.sessions,
    headers: headersOf(run, { account: 'a', ...fields }, { 'content-type': 'application/json' }),
    body: Buffer.from(JSON.stringify(body), 'utf8'),
    // A case may ask for what no server grants; only the grants of `given` are the kit's own word.
    odd: Object.keys(request).length > 0 || isFields(fields['create']),
    shared: fields['headers'] === undefined,
  });
}

/** The kit's own wish for how long a session and its ticket live, where the case has none. */
function withLives(request: Fields, lives: Json | undefined): Fields {
  const limits = request['limits'] ?? {};
  return isFields(lives) && isFields(limits) ? { ...request, limits: { ...lives, ...limits } } : request;
}

// A case may ask for a room called `constructor`.
function roomBehind(run: Run, key: string): RunBody['rooms'][string] | undefined {
  const rooms = run.ledger.run?.rooms ?? {};
  return Object.hasOwn(rooms, key) ? rooms[key] : undefined;
}

function roomOf(run: Run, room: Json | undefined): string {
  const key = typeof room === 'string' ? room : 'main';
  return roomBehind(run, key)?.name ?? key;
}

function createOf(run: Run, { create, room }: Fields): Json | undefined {
  if (create === true) return roomBehind(run, typeof room === 'string' ? room : 'main')?.spec ?? {};
  return create;
}

const EXPRESSION = /^([A-Za-z]+)([*+-]\d+)*$/;

/** Limits may be asked for relative to the server's own: `maxMembers+1`. */
/** A spec or request in whose `limits` expressions such as `maxMembers+1` have become numbers. */
export function withLimits(run: Run, asked: Fields): Fields {
  const { limits } = asked;
  if (!isFields(limits)) return asked;
  const numbers = Object.entries(limits).map(([name, value]) => {
    const limit = typeof value === 'string' ? EXPRESSION.exec(value)?.[1] : undefined;
    return [name, limit !== undefined && limitOf(limit) !== undefined ? quantity(value, run.ledger) : value] as const;
  });
  return { ...asked, limits: Object.fromEntries(numbers) };
}

function addressOf({ target }: Run, to: string): URL {
  if (to === 'discovery') return target.wellKnown;
  if (to === 'sessions' || to === 'pipe' || to === 'sibling') return target[to];
  if (isForm(to)) return formAddress(target, to.slice('form/'.length));
  if (to.startsWith('hooks/')) return new URL(`${(target.hooks ?? target.wellKnown).href}${to.slice('hooks'.length)}`);
  return new URL(to, target.wellKnown);
}

function headersOf(run: Run, fields: Fields, implied: { readonly [name: string]: string }): HeaderField[] {
  const token = tokenOf(run, fields);
  const given: Fields = isFields(fields['headers']) ? fields['headers'] : {};
  const named = new Set(Object.keys(given).map((name) => name.toLowerCase()));
  const usual = { ...implied, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  const all = [...Object.entries(usual).filter(([name]) => !named.has(name)), ...Object.entries(given)];
  return all.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : []));
}

function tokenOf(run: Run, { token, account }: Fields): string | undefined {
  if (typeof token === 'string') return token;
  if (typeof account !== 'string' || account === 'anonymous') return undefined;
  const found = run.setting.tokens[account];
  if (found === undefined) throw new Error(`there is no account ${account}`);
  return found;
}

function bodyOf(run: Run, fields: Fields, step: number): Buffer | undefined {
  const content = contentOf(run, fields, step);
  if (fields['pad'] === undefined || content === undefined) return content;
  const size = quantity(fields['pad'], run.ledger);
  return Buffer.concat([content, Buffer.alloc(Math.max(0, size - content.length), ' ')]);
}

function contentOf(run: Run, { json, body, bytes, encoding }: Fields, step: number): Buffer | undefined {
  if (json !== undefined) return Buffer.from(JSON.stringify(json), 'utf8');
  if (typeof body === 'string') return Buffer.from(body, encoding === 'latin1' ? 'latin1' : 'utf8');
  if (bytes === undefined) return undefined;
  const place = { seed: run.setting.seed, case: run.of.id, step, index: 0 };
  return seededBytes(place, quantity(bytes, run.ledger));
}

const CHUNK = 1000;

function inChunks(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += CHUNK) {
    const part = body.subarray(at, at + CHUNK);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

/** `raw` on a connection of its own: bytes to the host of an endpoint, whose answer is read as HTTP. */
export function rawRequest(run: Run, fields: Fields): Promise<void> {
  const url = addressOf(run, asText(fields['connect']));
  const raw =
    typeof fields['hex'] === 'string' ? Buffer.from(fields['hex'], 'hex') : Buffer.from(asText(fields['text']), 'utf8');
  return exchange(run, { at: asText(fields['as']), method: 'RAW', url, headers: [], raw, odd: true });
}
