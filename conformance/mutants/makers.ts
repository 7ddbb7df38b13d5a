import { errorOf } from '../register.js';
import { errorName, isCall, jsonResponse, perLink, refusalName } from './helpers.js';
import type { JsonObject } from './json.js';
import type { Alterations, Endpoint, HttpRequest, HttpResponse, Link, Message } from './mutant.js';

type Change<T> = (it: T, link: Link) => readonly T[];

/** Changes events of the server; `name` undefined means all numbered and unnumbered ones but the hello. */
export function onEvent(name: string | undefined, change: Change<JsonObject>): Alterations {
  return {
    onSiblingToClient: (json, link) => {
      const meant = name === undefined ? isCall(json) && !isCall(json, 'sibling.hello') : isCall(json, name);
      return meant ? change(json, link) : [json];
    },
  };
}

/** Changes successful replies to calls of `method`. */
export function onResult(method: string, change: Change<JsonObject>): Alterations {
  return {
    onSiblingToClient: (json, link) =>
      json['result'] !== undefined && link.callFor(json)?.method === method ? change(json, link) : [json],
  };
}

/** Changes error replies of this registry name, whatever call they answer, or only those to `method`. */
export function onError(name: string, change: Change<JsonObject>, method?: string): Alterations {
  return {
    onSiblingToClient: (json, link) => {
      const meant = errorName(json) === name && (method === undefined || link.callFor(json)?.method === method);
      return meant ? change(json, link) : [json];
    },
  };
}

/** Changes calls of `method` on their way to the server. */
export function onCall(method: string, change: Change<JsonObject>): Alterations {
  return { onSiblingToServer: (json, link) => (isCall(json, method) ? change(json, link) : [json]) };
}

/** Changes refusals of HTTP requests by their registry name. */
export function onRefusal(name: string, change: (it: HttpResponse, request: HttpRequest) => HttpResponse): Alterations {
  return { onHttpResponse: (it, request) => (refusalName(it) === name ? change(it, request) : it) };
}

/** Changes grants given over HTTP. */
export function onGrant(change: (grant: HttpResponse, request: HttpRequest) => HttpResponse): Alterations {
  return {
    onHttpResponse: (it, request) => (request.endpoint === 'sessions' && it.status === 201 ? change(it, request) : it),
  };
}

/** Changes what answers the request for the discovery document. */
export function onDiscovery(change: (document: HttpResponse) => HttpResponse): Alterations {
  return {
    onHttpResponse: (it, request) => (request.endpoint === 'discovery' && it.status === 200 ? change(it) : it),
  };
}

/** Holds what `holds` picks until the next thing of the same link has gone by. */
export function swapper<T>(holds: (it: T, link: Link) => boolean): Change<T> {
  const held = perLink<T[]>(() => []);
  return (it, link) => {
    const waiting = held(link);
    if (waiting.length > 0) return [it, ...waiting.splice(0)];
    if (!holds(it, link)) return [it];
    waiting.push(it);
    return [];
  };
}

/** Counts calls per link, from 1. */
export function counter(): (link: Link) => number {
  const counts = perLink(() => ({ n: 0 }));
  return (link) => (counts(link).n += 1);
}

/**
 * Whether `message` belongs to a case and not to the kit: the nonces of canary, bystanders, sentinels and controls are
 * short ASCII text.
 */
export const isContent = ({ kind, payload }: Message): boolean =>
  kind === 'binary' || payload.length > 48 || payload.some((byte) => byte > 0x7e);

/** A refusal of the mutant's own, as the registry has it. */
export function refusing(name: string): HttpResponse {
  const { code = 0, http = 400 } = errorOf(name) ?? {};
  return jsonResponse(http ?? 400, { error: { name, code, message: 'Refused by a mutant.' } });
}

/** Changes requests to one endpoint. */
export function onRequest(
  endpoint: Endpoint,
  change: (request: HttpRequest) => HttpRequest | HttpResponse,
): Alterations {
  return { onHttpRequest: (request) => (request.endpoint === endpoint ? change(request) : request) };
}
