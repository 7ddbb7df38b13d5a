import type { JsonObject } from '../json.js';
import { objectAt, stringAt } from '../json.js';
import type { Endpoint, Header } from '../mutant.js';

/** Path of the discovery document (RFC 8615). */
export const DISCOVERY_PATH = '/.well-known/porthouse';

/** The entry points of a discovery document as absolute URLs, resolved against `base`, the URL that it came from. */
export function endpointUrls(discovery: JsonObject, base: URL): ReadonlyMap<Endpoint, URL> {
  const endpoints = discovery['endpoints'];
  const found = new Map<Endpoint, URL>([['discovery', new URL(DISCOVERY_PATH, base)]]);
  const sessions = stringAt(endpoints, 'sessions');
  const pipe = stringAt(objectAt(endpoints, 'pipe'), 'websocket');
  const sibling = stringAt(objectAt(endpoints, 'sibling'), 'websocket');
  if (sessions !== undefined) found.set('sessions', new URL(sessions, base));
  if (pipe !== undefined) found.set('pipe', new URL(pipe, base));
  if (sibling !== undefined) found.set('sibling', new URL(sibling, base));
  return found;
}

/** The origin of `url` as HTTP sees it: a WebSocket address shares it with the page that it was upgraded from. */
export function httpOrigin(url: URL): string {
  return new URL(url.href.replace(/^ws/, 'http')).origin;
}

/** Translates between the addresses of a server and those of the proxies in front of it. */
export class AddressBook {
  readonly #pairs: { readonly real: URL; readonly own: URL }[] = [];

  /** Notes that `own` (an origin) stands for `real`. */
  add(real: string, own: string): void {
    this.#pairs.push({ real: new URL(real), own: new URL(own) });
  }

  /** `text` with every absolute address of the server replaced by the proxy's. */
  toOwn(text: string): string {
    return this.#pairs.reduce((out, { real, own }) => replaceAddress(out, real.host, own.host), text);
  }

  /** Host and Origin as the server would have got them; other headers, and foreign values, as they are. */
  toReal(headers: readonly Header[]): readonly Header[] {
    return headers.map(([name, value]) =>
      /^(host|origin)$/i.test(name) ? [name, this.#realValue(value)] : [name, value],
    );
  }

  #realValue(value: string): string {
    for (const { real, own } of this.#pairs) {
      if (value === own.host) return real.host;
      if (value === own.origin) return real.origin;
    }
    return value;
  }
}

function replaceAddress(text: string, from: string, to: string): string {
  return text
    .replaceAll(`https://${from}/`, `http://${to}/`)
    .replaceAll(`wss://${from}/`, `ws://${to}/`)
    .replaceAll(`://${from}/`, `://${to}/`);
}
