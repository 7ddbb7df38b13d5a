import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { packageRoot } from '../../support/package-root.js';

const HOME = '/';
const FOLDER = '/console/';
const SOURCES = ['reference-server/web/static', 'dist/reference-server/web/client'];
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Nothing from elsewhere, nothing inline: whatever a message holds, it stays text on the page. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};

interface Page {
  readonly type: string;
  readonly body: Buffer;
  readonly etag: string;
}

function page(file: string): Page {
  const body = readFileSync(file);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { type: TYPES[extname(file)] ?? '', body, etag };
}

function load(): ReadonlyMap<string, Page> {
  const files = SOURCES.flatMap((folder) => readdirSync(join(packageRoot(), folder)).map((name) => ({ folder, name })));
  const served = files.filter(({ name }) => TYPES[extname(name)] !== undefined);
  return new Map(
    served.map(({ folder, name }) => {
      const path = extname(name) === '.html' ? HOME : `${FOLDER}${name}`;
      return [path, page(join(packageRoot(), folder, name))] as const;
    }),
  );
}

/** The console of the server, for browsers: a few files, read once. */
export class Pages {
  readonly #pages = load();

  /** Whether there is something at this path. */
  has(path: string): boolean {
    return this.#pages.has(path);
  }

  /** Answers a GET or HEAD for a path at which there is something. */
  serve(path: string, request: IncomingMessage, response: ServerResponse): void {
    const found = this.#pages.get(path);
    if (!found) return;
    const { type, body, etag } = found;
    const isKnown = request.headers['if-none-match'] === etag;
    response.writeHead(isKnown ? 304 : 200, {
      ...HEADERS,
      etag,
      ...(isKnown ? {} : { 'content-type': type, 'content-length': body.length }),
    });
    response.end(isKnown || request.method === 'HEAD' ? undefined : body);
  }
}
