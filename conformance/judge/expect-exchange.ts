import { asText, isFields } from '../model.js';
import type { Fields } from '../model.js';
import { errorOf, schemaFault } from '../register.js';
import type { HttpBody, Json, TimelineRecord } from '../timeline.js';
import type { Exchange, SocketState } from './entries.js';
import type { Mismatch } from './match.js';
import { match } from './match.js';
import type { Outcome } from './outcome.js';
import { heldAt, received } from './outcome.js';
import { describe } from './subject.js';

type Headers = readonly (readonly [string, string])[];

/** `status`, `error`, `data`, `json`, `headers`, `schema` of a response. */
export function expectHttp(exchange: Exchange, expect: Fields): Outcome {
  const expected = describe(expect);
  const { response } = exchange;
  if (response === undefined) return { state: 'pending', expected };
  if (response.failed !== undefined) {
    return { state: 'failed', why: 'CLOSED', expected, received: received(response), record: response.i };
  }
  const fault = responseFault(response, expect);
  if (fault === undefined) return heldAt(response, response.json);
  return {
    state: 'failed',
    why: 'WRONG',
    expected,
    received: `${said(fault)} in ${received(response)}`,
    record: response.i,
  };
}

const said = ({ path, expected, received: got }: Mismatch): string =>
  `${path === '' ? '' : `${path}: `}${got} instead of ${expected}`;

function responseFault(response: TimelineRecord & HttpBody, expect: Fields): Mismatch | undefined {
  return (
    statusFault(expect['status'], response.status) ??
    headerFault(expect['headers'], response.headers) ??
    errorFault(expect, isFields(response.json) ? response.json['error'] : undefined) ??
    (expect['json'] === undefined ? undefined : match(expect['json'], response.json)) ??
    shapeFault(expect['schema'], response.json)
  );
}

function statusFault(expected: Json | undefined, status: number | undefined): Mismatch | undefined {
  if (expected === undefined) return undefined;
  const fault = match(expected, status);
  return fault && { ...fault, path: 'status' };
}

function shapeFault(key: Json | undefined, value: Json | undefined): Mismatch | undefined {
  if (typeof key !== 'string') return undefined;
  const fault = schemaFault(key, value);
  return fault === undefined ? undefined : { path: '', expected: `a ${key}`, received: fault };
}

/** Holds response headers against `{name: value, null or matcher}`; names in any case, `null` for absent. */
export function headerFault(expected: Json | undefined, headers: Headers): Mismatch | undefined {
  if (!isFields(expected)) return undefined;
  return Object.entries(expected)
    .map(([name, matcher]) => {
      const values = headers.filter(([each]) => each.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
      const actual = values.length === 0 ? undefined : values.join(', ');
      const fault = match(matcher ?? { $absent: true }, actual);
      return fault && { ...fault, path: `header ${name}` };
    })
    .find((each) => each !== undefined);
}

/**
 * Holds an error object against `error` (a name, whose registered code is implied), `code`, `data` (matched against the
 * object's `data`), and `same`.
 */
export function errorFault(expect: Fields, error: Json | undefined): Mismatch | undefined {
  const name = expect['error'];
  if (name === undefined) return undefined;
  const code = expect['code'] ?? errorOf(asText(name))?.code;
  const wanted: Fields = {
    ...(code === undefined ? {} : { code }),
    ...(expect['data'] === undefined ? {} : { data: expect['data'] }),
  };
  const fault = match(wanted, error, 'error') ?? nameFault(name, error);
  if (fault !== undefined || expect['same'] === undefined) return fault;
  return match({ $exact: expect['same'] }, error, 'error');
}

// HTTP refusals carry the name beside the code, JSON-RPC errors below `data`.
function nameFault(name: Json, error: Json | undefined): Mismatch | undefined {
  const object = isFields(error) ? error : {};
  const data = isFields(object['data']) ? object['data'] : {};
  return match(name, object['name'] ?? data['name'], 'error name');
}

/** `opened` and `refused` of an upgrade. */
export function expectOpening(socket: SocketState, expect: Fields): Outcome {
  const expected = describe(expect);
  const answer = socket.refused ?? socket.opened;
  if (answer === undefined) return { state: 'pending', expected };
  const wantsOpen = expect['opened'] !== undefined;
  const fields = wantsOpen ? expect['opened'] : expect['refused'];
  const wanted = isFields(fields) ? fields : {};
  const turned = wantsOpen !== (answer.event === 'open') || answer.event === 'failed';
  const fault = turned ? { path: '', expected: '', received: '' } : upgradeFault(wanted, answer);
  if (fault === undefined) return heldAt(answer, answer.json);
  const why = answer.event === 'failed' ? 'CLOSED' : 'WRONG';
  const got = turned ? received(answer) : `${said(fault)} in ${received(answer)}`;
  return { state: 'failed', why, expected, received: got, record: answer.i };
}

function upgradeFault(wanted: Fields, answer: SocketState['opened'] & {}): Mismatch | undefined {
  const error = isFields(answer.json) ? answer.json['error'] : undefined;
  return (
    statusFault(wanted['status'], answer.status) ??
    headerFault(wanted['headers'], answer.headers ?? []) ??
    (wanted['protocol'] === undefined ? undefined : match(wanted['protocol'], answer.protocol, 'subprotocol')) ??
    errorFault(wanted, error)
  );
}
