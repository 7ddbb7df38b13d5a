import { asText, isFields } from '../model.js';
import type { Fields } from '../model.js';
import { limitOf } from '../register.js';
import type { Json } from '../timeline.js';
import type { Ledger } from './ledger.js';

const WHOLE = /^\$([A-Za-z_][\w-]*(?:\.[\w-]+)*)$/;
const INSIDE = /\$\{([A-Za-z_][\w-]*(?:\.[\w-]+)*)\}/g;

/** What a name stands for; undefined when nothing of that name is known. */
export type Lookup = (path: string) => Json | undefined;

/** The value behind a JSON pointer (RFC 6901); undefined when there is none. */
export function pointed(value: Json | undefined, pointer: string): Json | undefined {
  const keys = pointer.split('/').slice(1);
  return keys.reduce<Json | undefined>((at, key) => child(at, key.replaceAll('~1', '/').replaceAll('~0', '~')), value);
}

function child(of: Json | undefined, key: string): Json | undefined {
  if (Array.isArray(of)) return (of as readonly Json[])[Number(key)];
  return isFields(of) && Object.hasOwn(of, key) ? of[key] : undefined;
}

/** Names as CASES.md lists them, over what a run has seen so far. */
export function lookupIn(ledger: Ledger): Lookup {
  return (path) => {
    const [head = '', ...rest] = path.split('.');
    return rest.reduce<Json | undefined>(child, rootOf(ledger, head));
  };
}

function rootOf(ledger: Ledger, name: string): Json | undefined {
  const saved = ledger.saves.get(name);
  if (saved !== undefined) return saved;
  const { run } = ledger;
  const discovery = run?.discovery;
  const token = run?.tokens[name];
  if (token !== undefined) return { token };
  if (name === 'server' && run !== undefined) return addressOf(run.url);
  if (name === 'discovery') return discovery;
  if (name === 'limits') return child(discovery, 'limits');
  if (name === 'naked') return run?.naked;
  if (name === 'run') return run?.prefix;
  if (name === 'room') return run?.rooms['main']?.name;
  if (name === 'rooms')
    return Object.fromEntries(Object.entries(run?.rooms ?? {}).map(([key, { name }]) => [key, name]));
  const member = ledger.members.get(name);
  if (member === undefined) return undefined;
  return {
    ...(isFields(member.grant) ? member.grant : {}),
    ...(member.room === undefined ? {} : { room: member.room }),
  };
}

function addressOf(url: string): Json {
  const { origin, host, hostname, port, protocol } = new URL(url);
  return { origin, host, hostname, port, otherOrigin: `${protocol === 'https:' ? 'http' : 'https'}://${host}` };
}

/** Puts values for names in; a name that nothing stands for is a fault of the case, thrown. */
export function resolve(value: Json, lookup: Lookup): Json {
  if (typeof value === 'string') return resolveText(value, lookup);
  if (Array.isArray(value)) return (value as readonly Json[]).map((each) => resolve(each, lookup));
  if (isFields(value)) return resolveFields(value, lookup);
  return value;
}

// A step is looked at after every record, and most steps name nothing.
const settled = new WeakMap<Fields, boolean>();

function isSettled(fields: Fields): boolean {
  const known = settled.get(fields) ?? !JSON.stringify(fields).includes('$');
  settled.set(fields, known);
  return known;
}

/** `resolve` for an object; the object itself where it names nothing. */
export function resolveFields(fields: Fields, lookup: Lookup): Fields {
  if (isSettled(fields)) return fields;
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, resolve(value, lookup)]));
}

function resolveText(text: string, lookup: Lookup): Json {
  if (text.startsWith('$$')) return text.slice(1);
  const whole = WHOLE.exec(text)?.[1];
  if (whole !== undefined) return known(whole, lookup);
  return text.replace(INSIDE, (_found, path: string) => {
    const value = known(path, lookup);
    return typeof value === 'string' ? value : JSON.stringify(value);
  });
}

function known(path: string, lookup: Lookup): Json {
  const value = lookup(path);
  if (value === undefined) throw new Error(`nothing is known as $${path}`);
  return value;
}

/**
 * The number behind a size or duration such as `limit+1` or `ticketMs*2+50`, read from left to right.
 *
 * @param member - whose grant and room the limits are taken from.
 */
export function quantity(value: Json | undefined, ledger: Ledger, member?: string): number {
  if (typeof value === 'number') return value;
  const [name = '', ...operations] = asText(value).split(/(?=[*+-])/);
  return operations.reduce(
    (sum, operation) => {
      const operand = Number(operation.slice(1));
      if (operation.startsWith('*')) return sum * operand;
      return operation.startsWith('+') ? sum + operand : sum - operand;
    },
    amountOf(name, ledger, member),
  );
}

function amountOf(name: string, ledger: Ledger, member: string | undefined): number {
  if (/^\d+$/.test(name)) return Number(name);
  if (name === 'naked') return Number(ledger.run?.naked?.['maxMessageBytes']);
  const declared = child(child(ledger.run?.discovery, 'limits'), name === 'limit' ? 'maxMessageBytes' : name);
  const state = member === undefined ? undefined : ledger.members.get(member);
  const own = name === 'limit' ? roomLimit(ledger, state?.room) : child(child(state?.grant, 'limits'), name);
  const amount = own ?? declared ?? limitOf(name)?.default;
  if (typeof amount !== 'number') throw new Error(`no limit is known as ${name}`);
  return amount;
}

function roomLimit(ledger: Ledger, name: string | undefined): Json | undefined {
  const room = Object.values(ledger.run?.rooms ?? {}).find((each) => each.name === name);
  return child(child(room?.spec, 'limits'), 'maxMessageBytes');
}

/** The spec that was asked for of the room with this name; empty where it is not one of the case's rooms. */
export function specOf(ledger: Ledger, name: string | undefined): Fields {
  const room = Object.values(ledger.run?.rooms ?? {}).find((each) => each.name === name);
  return isFields(room?.spec) ? room.spec : {};
}
