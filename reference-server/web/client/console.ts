import { Client, grantFor } from './client.js';
import { startCompanion } from './companion.js';
import { byId, make } from './dom.js';
import { Members } from './members.js';
import type { Kind } from './pipe.js';
import { CallError, type Fields, isFields } from './sibling.js';
import { callItem, eventItem, receivedItem, sentItem } from './story.js';
import { Strip } from './strip.js';

const FLOW_MS = 700;
const END_MS = 5000;
const STAY_MS = 300_000;

const button = (id: string): HTMLButtonElement => byId(id, HTMLButtonElement);
const strip = new Strip(byId('strip', HTMLElement));
const members = new Members(byId('members', HTMLElement));
const status = byId('status', HTMLElement);
const message = byId('message', HTMLInputElement);

let client: Client | null = null;
let companion: Client | null = null;
let flow = 0;
let count = 0;
let sending: Kind = 'text';
let receiving: Kind | null = null;
/** What was typed while a switch waits for its acknowledgement: it belongs behind the boundary. */
let held: (string | Uint8Array<ArrayBuffer>)[] | null = null;

/** Shows what went wrong to whoever did it; a fault of the page goes on to the browser. */
function tell(error: unknown): void {
  status.hidden = false;
  status.textContent = error instanceof Error ? error.message : String(error);
  if (!(error instanceof CallError)) console.error(error);
}

/** Runs what a button is for, and says what comes of it. */
function on(id: string, run: (client: Client) => unknown): void {
  button(id).addEventListener('click', () => {
    status.hidden = true;
    if (client) Promise.resolve(client).then(run).catch(tell).finally(review);
  });
}

/** Makes a call, and draws it with its answer. */
async function call(method: string, params: Fields = {}): Promise<Fields> {
  if (!client) throw new Error('no client');
  try {
    const result = await client.call(method, params);
    strip.add(callItem(method, result));
    return result;
  } catch (error) {
    if (error instanceof CallError) strip.add(callItem(method, error));
    throw error;
  }
}

function press(id: string, pressed: boolean): void {
  button(id).setAttribute('aria-pressed', String(pressed));
}

const isPressed = (id: string): boolean => button(id).getAttribute('aria-pressed') === 'true';

/** Brings everything that shows the state up to it. */
function review(): void {
  byId('enter', HTMLElement).hidden = client !== null;
  byId('plain', HTMLElement).hidden = client !== null;
  byId('console', HTMLElement).hidden = client === null;
  if (!client) return;
  const { grant, awake, piping } = client;
  const facts = {
    room: grant.room,
    session: grant.sid,
    pipe: piping ? 'open' : 'ended',
    sibling: awake ? 'awake' : 'asleep',
  };
  byId('facts', HTMLElement).replaceChildren(
    ...Object.entries(facts).map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value))),
  );
  press('sleep', !awake);
  button('sleep').textContent = awake ? 'Sleep' : 'Wake';
  button('reopen').textContent = piping ? 'Close' : 'Open again';
  for (const id of ['fence', 'announce', 'debug', 'pause']) button(id).disabled = !awake;
  if (!piping) stopFlow();
  button('flow').disabled = !piping;
}

function deliver(payload: string | Uint8Array<ArrayBuffer>): void {
  if (!client) return;
  if (held) {
    held.push(payload);
    return;
  }
  const n = client.send(payload);
  const kind = typeof payload === 'string' ? sending : 'binary';
  strip.add(sentItem(payload, n, { epoch: client.epoch, kind: kind === 'binary' ? 'binary' : kind }));
}

/** What was typed, as the kind that is sent now: a switch promises it to the room. */
function send(text: string): void {
  if (sending === 'binary') deliver(new TextEncoder().encode(text));
  else if (sending === 'json') deliver(isJson(text) ? text : JSON.stringify(text));
  else deliver(text);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

async function switchSending(to: Kind): Promise<void> {
  if (!client) return;
  const waiting: (string | Uint8Array<ArrayBuffer>)[] = [];
  held = waiting;
  try {
    const n = await client.switchSending(to);
    sending = to;
    strip.boundary('sent', `from ${String(n)}: ${to}`);
  } finally {
    held = null;
    for (const payload of waiting) deliver(payload);
  }
}

/** The server proposes to switch what it sends; this page takes every kind. */
async function acknowledge({ id, dir }: Fields): Promise<void> {
  await call('switch.ack', { id, dir });
}

function onEvent(channel: 'command' | 'debug', method: string, params: Fields): void {
  if (!client) return;
  if (method === 'room.member') members.take(params, client.grant.sid);
  if (method === 'switch.done' && params['dir'] === 's2c') {
    const { set, at } = params;
    receiving = isFields(set) ? (String(set['format']) as Kind) : receiving;
    strip.boundary('received', `from ${isFields(at) ? String(at['n']) : '?'}: ${receiving ?? ''}`);
  }
  strip.add(eventItem(channel, method, params));
  if (method === 'switch.propose' && params['replay'] !== true) acknowledge(params).catch(tell);
  review();
}

async function enter(room: string, token: string): Promise<void> {
  const grant = await grantFor({ room, transport: 'websocket' }, token);
  const entered = new Client(grant, {
    onMessage: (shown, epoch) => strip.add(receivedItem(shown, epoch, receiving)),
    onEvent,
    onPipe: (state, detail) => {
      strip.add({ lane: 'note', title: `the pipe is ${state === 'open' ? 'open' : 'over'}`, detail, tone: '' });
      review();
    },
    onSibling: (state, detail) => {
      strip.add({ lane: 'note', title: `the sibling is ${state}`, detail, tone: state === 'lost' ? 'bad' : '' });
      review();
    },
  });
  strip.clear();
  [client, sending, receiving, count] = [entered, 'text', null, 0];
  byId('composer', HTMLFormElement).reset();
  byId('receiving', HTMLFieldSetElement)
    .querySelectorAll('input')
    .forEach((input) => (input.checked = false));
  for (const id of ['flow', 'companion', 'pause', 'sleep', 'debug']) press(id, false);
  review();
  await entered.wake();
  await entered.openPipe();
  await members.follow(entered);
  message.focus();
}

function stopFlow(): void {
  clearInterval(flow);
  press('flow', false);
}

function leave(): void {
  stopFlow();
  client?.end();
  companion?.end();
  [client, companion] = [null, null];
  review();
}

byId('enter-form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  status.hidden = true;
  const [room, token] = [byId('room', HTMLInputElement).value, byId('token', HTMLInputElement).value];
  enter(room, token).catch((error: unknown) => {
    tell(error);
    if (client?.piping !== true) leave();
  });
});

byId('composer', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  status.hidden = true;
  try {
    send(message.value);
    message.value = '';
  } catch (error) {
    tell(error);
  }
});

byId('file', HTMLInputElement).addEventListener('change', ({ target }) => {
  const file = (target as HTMLInputElement).files?.[0];
  file
    ?.arrayBuffer()
    .then((content) => deliver(new Uint8Array(content)))
    .catch(tell);
});

byId('sending', HTMLFieldSetElement).addEventListener('change', ({ target }) => {
  status.hidden = true;
  switchSending((target as HTMLInputElement).value as Kind).catch((error: unknown) => {
    byId('sending', HTMLFieldSetElement)
      .querySelectorAll('input')
      .forEach((input) => (input.checked = input.value === sending));
    tell(error);
  });
});

byId('receiving', HTMLFieldSetElement).addEventListener('change', ({ target }) => {
  const { value } = target as HTMLInputElement;
  call('switch.request', { dir: 's2c', set: { format: value } }).catch(tell);
});

on('flow', () => {
  if (isPressed('flow')) {
    stopFlow();
    return;
  }
  press('flow', true);
  flow = window.setInterval(() => {
    count += 1;
    send(sending === 'json' ? JSON.stringify({ tick: count }) : `tick ${String(count)}`);
  }, FLOW_MS);
});
on('companion', async ({ grant }) => {
  if (companion) companion.end();
  const token = byId('token', HTMLInputElement).value;
  companion = companion ? null : await startCompanion(grant.room, token);
  press('companion', companion !== null);
});
on('pause', async () => {
  const paused = isPressed('pause');
  await call(paused ? 'pipe.resume' : 'pipe.pause', { dir: 's2c' });
  press('pause', !paused);
  button('pause').textContent = paused ? 'Pause' : 'Resume';
});
on('reopen', (open) => (open.piping ? open.closePipe() : open.openPipe()));
on('sleep', async (open) => {
  if (!open.awake) return open.wake().then(() => members.follow(open));
  await call('sibling.stay', { ms: STAY_MS });
  open.sleep();
});
on('debug', async (open) => {
  const pressed = isPressed('debug');
  if (pressed) open.closeDebug();
  else await open.openDebug();
  press('debug', !pressed);
  byId('frame', HTMLElement).classList.toggle('debugged', !pressed);
});
on('fence', (open) => call('fence', open.sent > 0 ? { after: { epoch: open.epoch, c2s: open.sent } } : {}));
on('announce', () => call('stream.end', { inMs: END_MS }));
on('leave', leave);

byId('hint', HTMLElement).textContent = window.isSecureContext
  ? 'In development mode the token dev.<name> makes you that account. Without one you are anonymous.'
  : 'This page is not served over TLS: a browser then has no cryptography for the sibling, and nothing can be opened.';
button('open').disabled = !window.isSecureContext;
review();
