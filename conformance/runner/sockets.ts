import type { Impairment } from '../drivers/udp/impairment.js';
import { labelOf, socketOf } from '../expand.js';
import { endpointOf } from '../endpoints.js';
import { asText, fullAt, isFields, splitAt } from '../model.js';
import type { Fields, Step } from '../model.js';
import type { Json } from '../timeline.js';
import type { Connection } from './connection.js';
import { openConnection } from './connection.js';
import { withLimits } from './http.js';
import type { Run } from './run.js';

/** The connection with this name; that there is none is a fault of the case. */
export function connectionAt(run: Run, at: Json | undefined): Connection {
  const found = run.connections.get(fullAt(asText(at)));
  if (found === undefined) throw new Error(`${asText(at)} was never opened`);
  return found;
}

/** The `open` verb. */
export function openStep(run: Run, fields: Fields): Connection {
  const at = socketOf('open', fields);
  const kind = fields['pipe'] === undefined ? 'sibling' : 'pipe';
  const state = run.ledger.members.get(splitAt(at).member);
  const grant = isFields(state?.grant) ? state.grant : {};
  const own = kind === 'pipe' ? grant['transport'] : undefined;
  const transport = asText(fields['over'] ?? own ?? run.of.usual ?? 'websocket');
  const framing = fields['framing'] ?? grant['framing'];
  const headers = Object.entries(headersOf(fields['headers']));
  return openConnection(run, {
    at,
    kind,
    transport,
    url: endpointOf(run.target, { grant, overSibling: state?.overSibling === true, kind, transport }),
    ticket: asText(fields['ticket'] ?? grant['pipeTicket']),
    siblingSecret: asText(grant['siblingSecret']),
    framing: typeof framing === 'string' ? framing : undefined,
    udpAssoc: typeof grant['udpAssoc'] === 'string' ? grant['udpAssoc'] : undefined,
    impairment: impairmentOf(fields['impair']),
    byHand: fields['byHand'] === true,
    protocols: Array.isArray(fields['protocols']) ? fields['protocols'].map(String) : undefined,
    headers: headers.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const])),
    omit: headers.flatMap(([name, value]) => (value === null ? [name] : [])),
  });
}

function impairmentOf(impair: Json | undefined): Impairment | undefined {
  if (!isFields(impair)) return undefined;
  const per = (key: string): number => (typeof impair[key] === 'number' ? impair[key] : 0);
  return { seed: per('seed'), lose: per('lose'), repeat: per('repeat'), late: per('late') };
}

function headersOf(headers: Json | undefined): { [name: string]: string | null } {
  if (!isFields(headers)) return {};
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value === null ? null : asText(value)]),
  );
}

/** A call to make. */
export interface Calling {
  readonly method: string;
  readonly params?: Json;
  readonly id?: Json;
  readonly notify?: boolean;
  readonly label?: string;
  readonly kit?: boolean;
  readonly odd?: boolean;
}

/** Sends a call on a sibling. */
export function makeCall(run: Run, connection: Connection, calling: Calling): void {
  const { method, params, id, notify, label, kit, odd } = calling;
  const number = run.nextCall();
  const json: Json = {
    jsonrpc: '2.0',
    ...(notify === true ? {} : { id: id ?? (kit === true ? `kit-${String(number)}` : number) }),
    method,
    ...(params === undefined ? {} : { params }),
  };
  const { at, conn, driver } = connection;
  run.append({
    type: 'frame',
    at,
    conn,
    dir: 'out',
    json,
    ...(label === undefined ? {} : { label }),
    ...(kit === true ? { kit } : {}),
    ...(odd === true ? { odd } : {}),
  });
  driver.sendText(JSON.stringify(json));
}

/** The `call` verb. */
export function callStep(run: Run, fields: Fields, step: Step): void {
  const { at, method, params, id, notify, invalid } = fields;
  makeCall(run, connectionAt(run, at), {
    method: asText(method),
    // `invalid: true` with `params: null` leaves them out.
    ...(params === null ? {} : { params: withSpec(run, params ?? {}) }),
    ...(id === undefined ? {} : { id }),
    notify: notify === true,
    label: labelOf('call', fields, step.index),
    odd: invalid === true,
  });
}

const withSpec = (run: Run, params: Json): Json =>
  isFields(params) && isFields(params['spec']) ? { ...params, spec: withLimits(run, params['spec']) } : params;

/** Sends a ping and records it. */
export function sendPing(run: Run, { at, conn, driver }: Connection, text: string): void {
  run.append({ type: 'socket', at, conn, event: 'ping', dir: 'out', text });
  if (driver.ping === undefined) throw new Error(`${at} has no pings`);
  driver.ping(Buffer.from(text, 'latin1'));
}

/** The `close` and `cut` verbs. */
export function leave(run: Run, fields: Fields, how: 'close' | 'cut'): void {
  const { at, conn, driver } = connectionAt(run, fields['at']);
  const code = typeof fields['code'] === 'number' ? fields['code'] : 1000;
  const reason = typeof fields['reason'] === 'string' ? fields['reason'] : '';
  const said = how === 'cut' ? { code: 1006, what: 'cut' } : { code, reason };
  run.append({ type: 'socket', at, conn, event: 'closed', dir: 'out', ...said });
  if (how === 'cut') driver.cut();
  else if (fields['notify'] === false) driver.truncate?.();
  else driver.close(code, reason);
}

/** The `hold` and `release` verbs. */
export function toggle(run: Run, fields: Fields, event: 'hold' | 'release'): void {
  const { at, conn, driver } = connectionAt(run, fields['at']);
  run.append({ type: 'socket', at, conn, event });
  if (event === 'hold') driver.pause();
  else driver.resume();
}
