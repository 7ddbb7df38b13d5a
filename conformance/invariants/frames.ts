import type { Call, Entry } from '../judge/entries.js';
import { received } from '../judge/outcome.js';
import { asText, isFields } from '../model.js';
import type { Fields } from '../model.js';
import { errorOf, hasSchema, isEvent, isMethod, schemaFault } from '../register.js';
import type { FrameBody, HttpBody, Json, TimelineRecord } from '../timeline.js';
import { WELL_KNOWN } from '../endpoints.js';
import type { FinishedRun, Violation } from './violation.js';
import { violation } from './violation.js';

/** FRAME-1: every message of a server on a sibling is valid against the schema of its method. */
export function frameViolations({ ledger }: FinishedRun): Violation[] {
  return ledger.all.flatMap((socket) =>
    socket.inbound.flatMap((entry) => {
      const fault = faultOf(entry);
      if (fault === undefined) return [];
      return [
        violation({
          requirement: 'FRAME-1',
          record: entry.record,
          expected: fault.schema,
          received: said(fault.what, entry.record),
        }),
      ];
    }),
  );
}

interface SchemaFault {
  readonly schema: string;
  readonly what: string;
}

const said = (what: string, record: TimelineRecord): string => `${what} in ${received(record)}`;

function faultOf(entry: Entry): SchemaFault | undefined {
  const { record } = entry;
  if (record.type !== 'frame') return undefined;
  const json = isFields(record.json) ? record.json : undefined;
  if (json === undefined) return { schema: 'a JSON object', what: 'none' };
  if (entry.what === 'event') return eventFault(json);
  if (json['error'] !== undefined) return against('rpc/failure', json);
  return against('rpc/success', json) ?? resultFault(entry.call, json['result']);
}

function eventFault(json: Fields): SchemaFault | undefined {
  const method = asText(json['method']);
  if (json['id'] !== undefined) return { schema: 'an event without an id', what: 'an id' };
  // Events of a later minor version are for old clients to ignore.
  return (
    against('rpc/notification', json) ?? (isEvent(method) ? against(`events/${method}`, json['params']) : undefined)
  );
}

function resultFault(call: Call | undefined, result: Json | undefined): SchemaFault | undefined {
  return call !== undefined && isMethod(call.method) ? against(`calls/${call.method}.result`, result) : undefined;
}

function against(schema: string, value: Json | undefined): SchemaFault | undefined {
  const what = schemaFault(schema, value);
  return what === undefined ? undefined : { schema: `a valid ${schema}`, what };
}

/** ERR-1: code and name of an error belong together. */
export function errorViolations({ ledger }: FinishedRun): Violation[] {
  return ledger.all.flatMap((socket) =>
    socket.inbound.flatMap(({ record }) => {
      const error = record.type === 'frame' && isFields(record.json) ? record.json['error'] : undefined;
      const data = isFields(error) ? error['data'] : undefined;
      const name = isFields(data) ? asText(data['name']) : undefined;
      if (!isFields(error) || name === undefined || errorOf(name)?.code === error['code']) return [];
      const expected = `code ${String(errorOf(name)?.code)} beside ${name}, as the registry has it`;
      return [violation({ requirement: 'ERR-1', record, expected, received: received(record) })];
    }),
  );
}

/** Bodies of HTTP responses: a refusal is HTTP-1, also of an upgrade; a grant OPEN-1, the well-known document DISC-1. */
export function bodyViolations({ records }: FinishedRun): Violation[] {
  const requests = new Map<string, HttpBody>();
  return records.flatMap((record) => {
    if (record.type === 'http' && record.dir === 'out') requests.set(record.at, record);
    const schema = bodySchema(record, requests);
    const what = schema === undefined ? undefined : schemaFault(schema.key, 'json' in record ? record.json : undefined);
    if (schema === undefined || what === undefined) return [];
    const expected = `a valid ${schema.key}`;
    return [violation({ requirement: schema.requirement, record, expected, received: said(what, record) })];
  });
}

interface BodySchema {
  readonly key: string;
  readonly requirement: string;
}

const REFUSAL: BodySchema = { key: 'http/refusal', requirement: 'HTTP-1' };

function bodySchema(record: TimelineRecord, requests: ReadonlyMap<string, HttpBody>): BodySchema | undefined {
  if (record.type === 'socket') return record.event === 'refused' && (record.status ?? 0) >= 400 ? REFUSAL : undefined;
  if (record.type !== 'http' || record.dir === 'out' || record.status === undefined) return undefined;
  const request = requests.get(record.at);
  // Bytes that are no request at all get what the server's HTTP has for them.
  if (request === undefined || request.method === 'HEAD' || request.method === 'RAW') return undefined;
  if (record.status >= 400) return asksForPage(request) ? undefined : REFUSAL;
  if (record.status === 201) return { key: 'http/grant', requirement: 'OPEN-1' };
  const isDiscovery = request.url?.endsWith(WELL_KNOWN) === true && request.method === 'GET';
  return record.status === 200 && isDiscovery ? { key: 'http/discovery', requirement: 'DISC-1' } : undefined;
}

/** Where forms are posted people are refused by a page (FORM-25). */
const asksForPage = ({ headers }: HttpBody): boolean =>
  headers.some(([name, value]) => name.toLowerCase() === 'accept' && value.includes('text/html'));

/** What the kit itself sent against a schema without meaning to. */
export function kitFaults({ ledger, records }: FinishedRun): string[] {
  return records.flatMap((record) => {
    const fault =
      record.type === 'frame' ? callFault(record) : record.type === 'http' ? requestFault(record) : undefined;
    return fault === undefined
      ? []
      : [`${ledger.run?.case ?? ''}: what the kit sent is not ${fault.schema}: ${fault.what} in ${received(record)}`];
  });
}

function callFault({ dir, odd, json }: FrameBody): SchemaFault | undefined {
  if (dir === 'in' || odd === true) return undefined;
  const method = isFields(json) ? asText(json['method']) : '';
  const params = isFields(json) ? json['params'] : undefined;
  const key = `calls/${method}.params`;
  return (
    against('rpc/request', json) ??
    (hasSchema(key) ? against(key, params ?? {}) : { schema: 'a known call', what: method })
  );
}

function requestFault({ dir, odd, json }: HttpBody): SchemaFault | undefined {
  return dir === 'in' || odd === true || json === undefined ? undefined : against('http/session-request', json);
}
