import { errors, type ErrorName } from '../../../generated/errors.js';
import type { OpenRoom } from '../../ports/open-rooms.js';
import type { Refusal } from '../../ports/refusal.js';
import { html, type Markup, NOTHING, page } from './html.js';
import type { MessageAnswer } from './told.js';

/** What a form carries beside what is written into it. */
export interface FormFields {
  readonly ticket: string;
  readonly idempotencyKey: string;
}

const KIBI = 1024;

function size(bytes: number): string {
  if (bytes === 1) return '1 byte';
  if (bytes < KIBI) return `${String(bytes)} bytes`;
  const [unit, value] = bytes < KIBI ** 2 ? ['KiB', bytes / KIBI] : ['MiB', bytes / KIBI ** 2];
  return `${String(Math.round(value * 10) / 10)} ${unit}`;
}

const members = (count: number): string => {
  if (count === 0) return 'accepted, but nobody was there to receive it';
  return count === 1 ? 'on its way to 1 member' : `on its way to ${String(count)} members`;
};

/** Refusals that people meet, in their words. */
const WORDS: Readonly<Partial<Record<ErrorName, string>>> = {
  room_not_found: 'There is no such room, or none that is open to everybody.',
  unauthenticated: 'This room is not open to everybody: it takes an account.',
  forbidden: 'You may not post into this room.',
  ticket_invalid: 'This form has expired, or was not sent from here. Open it again and send once more.',
  key_reused: 'This form was sent before with something else in it. Open it again to send a new message.',
  origin_refused: 'The form was sent from a page of another site.',
  message_too_large: 'The message is longer than this room takes.',
  message_too_long: 'The message is longer than the server takes.',
  rate_limited: 'That was too fast for this room. Wait a moment and send it again.',
  format_mismatch: 'This room does not take messages of that kind.',
  busy: 'There is too much going on just now. Try again in a moment.',
  room_full: 'The room is full just now. Try again in a moment.',
  draining: 'The server is about to restart. Try again in a moment.',
  not_found: 'There is nothing here: a receipt is shown for a few minutes only.',
  invalid_utf8: 'The text came in an encoding other than UTF-8.',
  invalid_params: 'There was no message in the form.',
};

const isError = (name: string): name is ErrorName => name in errors;

const wordsFor = (name: string): string => (isError(name) ? (WORDS[name] ?? errors[name].meaning) : name);

function messageItem(message: MessageAnswer, index: number): Markup {
  const { kind, bytes, error } = message;
  const what = `${kind === 'binary' ? 'File' : 'Text'}, ${size(bytes)}`;
  if (error) {
    return html`<li>
      <span class="mark bad">Refused.</span> ${what}: ${wordsFor(error.name)}${limitOf(error.name, error.limit)}
    </li>`;
  }
  return html`<li>
    <span class="mark good">Sent.</span> ${what}: ${members(message.members ?? 0)}. <br /><span class="faint small"
      >Message ${index + 1}, <code>${message.id ?? ''}</code></span
    >
  </li>`;
}

function limitOf(name: string, limit: number | undefined): Markup {
  if (limit === undefined) return NOTHING;
  const shown = name.startsWith('message_too_') ? size(limit) : String(limit);
  return html` <span class="faint">At most ${shown}.</span>`;
}

const messageList = (messages: readonly MessageAnswer[]): Markup =>
  html`<ul class="plain">
    ${messages.map(messageItem)}
  </ul>`;

function roomItem({ name, maxMessageBytes, format }: OpenRoom): Markup {
  return html`<li>
    <a href="/porthouse/v1/rooms/${name}/messages">${name}</a>
    <span class="faint small">${kinds(format)}, up to ${size(maxMessageBytes)}</span>
  </li>`;
}

const roomNameForm = html`<form method="get" action="/porthouse/v1/rooms" class="row">
  <div>
    <label for="room">Name</label>
    <input
      type="text"
      id="room"
      name="room"
      required
      maxlength="63"
      autocapitalize="none"
      autocomplete="off"
      spellcheck="false"
    />
  </div>
  <button>Go there</button>
</form>`;

/** The rooms that anybody may post into. */
export function roomsPage(shown: { rooms: readonly OpenRoom[]; more: boolean; asked: string }): string {
  const { rooms, more, asked } = shown;
  const none = html`<p class="faint">There is none just now.</p>`;
  const list =
    rooms.length > 0
      ? html`<ul class="plain rooms">
          ${rooms.map(roomItem)}
        </ul>`
      : none;
  const wrong = html`<p>
    <span class="mark bad">${asked}</span> is no name of a room: small letters, digits, <code>-</code> and
    <code>_</code>.
  </p>`;
  return page(
    'Rooms',
    html`<h1>Post a message</h1>
      <p class="faint">Whoever is in a room hears what you post there, whatever they are connected by.</p>
      <section class="card">
        <h2>Open rooms</h2>
        ${list} ${more ? html`<p class="faint small">And more: name the one you mean below.</p>` : NOTHING}
      </section>
      <section class="card">
        <h2>Another room</h2>
        ${asked === '' ? NOTHING : wrong} ${roomNameForm}
      </section>`,
  );
}

function kinds(format: OpenRoom['format']): string {
  if (format === 'any') return 'text and files';
  return { text: 'text', json: 'text that is JSON', binary: 'files' }[format];
}

const hidden = ({ ticket, idempotencyKey }: FormFields): Markup =>
  html`<input type="hidden" name="ticket" value="${ticket}" />
    <input type="hidden" name="idempotencyKey" value="${idempotencyKey}" />`;

function textForm(room: OpenRoom, fields: FormFields): Markup {
  const label = room.format === 'json' ? 'Your message, as JSON' : 'Your message';
  return html`<section class="card">
    <form method="post" autocomplete="off">
      ${hidden(fields)}
      <label for="text">${label}</label>
      <textarea id="text" name="message" required></textarea>
      <button>Send text</button>
    </form>
  </section>`;
}

function fileForm(fields: FormFields): Markup {
  return html`<section class="card">
    <form method="post" enctype="multipart/form-data" autocomplete="off">
      ${hidden(fields)}
      <label for="file">A file</label>
      <input type="file" id="file" name="message" required />
      <button>Send file</button>
    </form>
  </section>`;
}

/** A room's forms, with the receipt of what was posted before, if that is what was asked for. */
export function formPage(shown: {
  readonly room: string;
  readonly open: { readonly terms: OpenRoom; readonly text: FormFields; readonly file: FormFields } | null;
  readonly receipt: readonly MessageAnswer[] | null;
}): string {
  const { room, open, receipt } = shown;
  const refused = receipt?.some(({ error }) => error) === true;
  const sent = receipt
    ? html`<section class="card ${refused ? 'bad' : 'good'}" role="status">
        <h2>Receipt</h2>
        ${messageList(receipt)}
      </section>`
    : NOTHING;
  const forms = open
    ? html`${open.terms.format === 'binary' ? NOTHING : textForm(open.terms, open.text)}
        ${['any', 'binary'].includes(open.terms.format) ? fileForm(open.file) : NOTHING}
        <p class="faint small">
          This room takes ${kinds(open.terms.format)}, up to ${size(open.terms.maxMessageBytes)} each.
        </p>`
    : html`<p>This room takes no more messages from here.</p>`;
  const title = receipt ? 'Receipt' : room;
  return page(
    title,
    html`<h1>${room}</h1>
      <p class="faint">What you send goes to everybody who is in this room now.</p>
      ${sent}${forms}
      <p><a href="/porthouse/v1/rooms">All open rooms</a></p>`,
  );
}

/** Why it did not work, what was sent before that, and the way back. */
export function refusalPage(
  refusal: Refusal,
  shown: { room: string | null; messages: readonly MessageAnswer[] },
): string {
  const { room, messages } = shown;
  const back = room === null ? '/porthouse/v1/rooms' : `/porthouse/v1/rooms/${room}/messages`;
  const before = messages.some(({ error }) => error?.name !== refusal.refused)
    ? html`<section class="card">
        <h2>What became of each message</h2>
        ${messageList(messages)}
      </section>`
    : NOTHING;
  return page(
    'Not sent',
    html`<h1>That did not work</h1>
      <section class="card bad" role="alert">
        <p>${wordsFor(refusal.refused)}${limitOf(refusal.refused, refusal.limit)}</p>
        <p class="faint small"><code>${refusal.refused}</code></p>
      </section>
      ${before}
      <p><a href="${back}">${room === null ? 'All open rooms' : `Back to ${room}`}</a></p>`,
  );
}
