import { setTimeout as delay } from 'node:timers/promises';
import { labelOf } from '../expand.js';
import type { Entry } from '../judge/entries.js';
import { fieldOf } from '../judge/entries.js';
import { controlLabel, controlPair } from '../judge/evaluate.js';
import { aliveText } from '../judge/expectation.js';
import { quantity } from '../judge/scope.js';
import { asText, isFields, splitAt } from '../model.js';
import type { Fields, Step } from '../model.js';
import { afterAll, closeWindow, commandOf, fence, fenceSenders, sendNonce } from './fences.js';
import { grantStep, httpStep, rawRequest } from './http.js';
import type { Run } from './run.js';
import { bindStep } from './bind.js';
import { passTime } from './clock.js';
import { dialStep, secureStep } from './dialogue.js';
import { drainStep, restartStep } from './server.js';
import { rawStep, sendStep } from './sending.js';
import { callStep, connectionAt, leave, makeCall, openStep, sendPing, toggle } from './sockets.js';

/** What an action needs beside its fields. `decided` says that the step's outcome is known already. */
export interface Acting {
  readonly run: Run;
  readonly fields: Fields;
  readonly step: Step;
  readonly decided: () => boolean;
}

type Action = (acting: Acting) => Promise<void> | void;

/**
 * The verbs that do something. An action is over when all is sent; what it waits for is read by the step's
 * expectation. An exchange goes on in the background, so that the step's own deadline holds for it.
 */
const ACTIONS: { readonly [verb in Step['verb']]: Action } = {
  http: ({ run, fields, step }) => void httpStep(run, fields, step.index),
  grant: ({ run, fields }) => void grantStep(run, fields),
  open: openAction,
  dial: ({ run, fields }) => {
    dialStep(run, fields);
  },
  secure: ({ run, fields }) => {
    secureStep(run, fields);
  },
  bind: ({ run, fields, step }) => bindStep(run, fields, step),
  send: ({ run, fields, step }) => sendStep(run, fields, step),
  raw: ({ run, fields, step }) =>
    fields['connect'] === undefined ? rawStep(run, fields, step) : void rawRequest(run, fields),
  ping: ({ run, fields }) => {
    sendPing(run, connectionAt(run, fields['at']), asText(fields['text'] ?? ''));
  },
  call: ({ run, fields, step }) => {
    callStep(run, fields, step);
  },
  fence: ({ run, fields, step }) => {
    fenceStep(run, fields, step);
  },
  hold: ({ run, fields }) => {
    toggle(run, fields, 'hold');
  },
  release: ({ run, fields }) => {
    toggle(run, fields, 'release');
  },
  close: ({ run, fields }) => {
    leave(run, fields, 'close');
  },
  cut: ({ run, fields }) => {
    leave(run, fields, 'cut');
  },
  clock: ({ run, fields }) => passTime(run, fields),
  restart: ({ run, fields }) => restartStep(run, fields),
  drain: ({ run }) => {
    drainStep(run);
  },
  expect: expectStep,
  exactly: closeWindow,
  none: closeWindow,
  control: ({ run, step }) => {
    controlStep(run, step);
  },
  retry,
};

/** Does what a step does. */
export async function act(acting: Acting): Promise<void> {
  await ACTIONS[acting.step.verb](acting);
}

// Over TCP nothing answers: what is sent before the server says that a pipe is open is not for it.
async function openAction({ run, fields }: Acting): Promise<void> {
  const { member, kind } = openStep(run, fields);
  const command = run.of.usual === undefined || kind !== 'pipe' ? undefined : commandOf(run, member);
  if (command === undefined) return;
  const isOpened = (each: Entry): boolean => !each.claimed && fieldOf(each, 'method') === 'pipe.opened';
  await run.until(() => command.inbound.some(isOpened) || command.closed !== undefined, run.setting.deadlineMs());
}

function fenceStep(run: Run, fields: Fields, step: Step): void {
  const member = asText(fields['at']);
  const pipe = run.ledger.sockets.get(`${member}.pipe`);
  const { after, scope } = fields;
  const position =
    typeof after === 'number'
      ? { epoch: pipe?.epoch ?? 1, c2s: after }
      : pipe === undefined
        ? undefined
        : afterAll(pipe);
  const command = run.ledger.bound(member, 'command')?.at ?? `${member}.command`;
  makeCall(run, connectionAt(run, command), {
    method: 'fence',
    params: {
      ...(after === 'none' || position === undefined ? {} : { after: position }),
      ...(scope === undefined ? {} : { scope }),
    },
    label: labelOf('fence', fields, step.index),
  });
}

function controlStep(run: Run, step: Step): void {
  const { from, to } = controlPair(step.fields);
  sendNonce(run, from, { observer: to, label: controlLabel(step), role: 'control' });
}

// Events that a message causes: the fence behind that message overtakes none of them (FENCE-2).
const CAUSED_BY_MESSAGES: ReadonlySet<unknown> = new Set(['pipe.refused', 'pipe.undeliverable']);

function expectStep({ run, fields, step, decided }: Acting): void {
  if (fields['alive'] === true) sendPing(run, connectionAt(run, fields['at']), aliveText(step));
  if (CAUSED_BY_MESSAGES.has(fields['event']) && !decided()) void race({ run, fields, step, decided });
}

/** The label of the fence against which an expected event is raced. */
export const raceLabel = (step: Step): string => `race:${String(step.index)}`;

async function race({ run, fields, step, decided }: Acting): Promise<void> {
  const { member, socket } = splitAt(asText(fields['at']));
  const complete = await fenceSenders(run, member, decided);
  const observer = run.ledger.sockets.get(`${member}.${socket}`);
  if (!complete || decided() || observer !== commandOf(run, member)) return;
  fence(run, observer, { label: raceLabel(step), params: {} });
}

const RETRY_PAUSE_MS = 20;

async function retry({ run, fields, step, decided }: Acting): Promise<void> {
  const end = performance.now() + quantity(fields['within'], run.ledger);
  do {
    if (isFields(fields['http'])) await httpStep(run, fields['http'], step.index);
    else if (isFields(fields['grant'])) await grantStep(run, fields['grant']);
    if (decided()) return;
    await delay(RETRY_PAUSE_MS, undefined, { signal: run.signal }).catch(() => undefined);
  } while (performance.now() < end);
}
