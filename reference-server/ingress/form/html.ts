import { createHash } from 'node:crypto';
import { STYLE } from './style.js';

/** Text that stands in a page for itself, whatever it holds. */
export interface Markup {
  readonly html: string;
}

type Inset = Markup | string | number | readonly Inset[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function inset(value: Inset): string {
  if (typeof value === 'string' || typeof value === 'number') {
    return String(value).replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
  }
  return 'html' in value ? value.html : value.map(inset).join('');
}

/** Markup with texts put in, which can say whatever they like: only what is written here is markup. */
export function html(parts: TemplateStringsArray, ...values: readonly Inset[]): Markup {
  return { html: parts.map((part, index) => part + inset(values[index] ?? '')).join('') };
}

export const NOTHING: Markup = { html: '' };

/** Not written where pages are, because nothing may come between: the policy names the very bytes. */
const STYLE_TAG: Markup = { html: `<style>${STYLE}</style>` };
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** What browsers are told of every page: it loads nothing, runs nothing, is framed by nobody, and posts to us only. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  // Not `no-referrer`: with it browsers send `Origin: null`, as a page of nobody's would (WS-6).
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  vary: 'Accept',
};

/** A whole page. */
export function page(title: string, content: Markup): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Porthouse</title>
        ${STYLE_TAG}
      </head>
      <body>
        <header><a href="/">Porthouse</a></header>
        <main>${content}</main>
      </body>
    </html> `.html;
}
