import type { Case, CaseStep, Fields, Member, Verb } from '../model.js';
import { contentOf } from './content.js';
import { waysOf } from './ways.js';

/**
 * What of a case can be done in several ways that must make no difference. The first value is how the case stands in
 * its file. `debug`: members have a debug channel beside the others, which is cut in the middle of the case when
 * `killed`. `kind`: messages of no format are sent in the other kind, text or binary. `frag`: messages are sent in three
 * frames. `order`: the pipe opens before the command channel is bound. `in` and `out`: whoever sends, or receives, comes
 * by another transport; `line` and `frame` are framings of TCP.
 */
export const AXES = {
  debug: ['off', 'on', 'killed'],
  kind: ['own', 'other'],
  frag: ['1', '3'],
  order: ['bind', 'pipe'],
  in: ['websocket', 'line', 'frame', 'udp', 'ftp', 'form'],
  out: ['websocket', 'line', 'frame', 'udp', 'ftp'],
} as const;

/** Name of an axis. */
export type Axis = keyof typeof AXES;

/** A value for some axes; those that are left out have their first. */
export type Combination = { readonly [axis in Axis]?: string };

/** The names of all axes, in the order in which they are written. */
export const axisNames = Object.keys(AXES) as readonly Axis[];

const fieldsOf = (steps: readonly CaseStep[]): readonly Fields[] =>
  steps.flatMap(({ fields, expect }) => (expect === undefined ? [fields] : [fields, expect]));

const mentions = ({ given, steps }: Case, word: RegExp): boolean =>
  word.test(JSON.stringify([given.rooms, Object.values(given.members).map(({ request }) => request), fieldsOf(steps)]));

const does = ({ steps }: Case, ...verbs: readonly Verb[]): boolean => steps.some(({ verb }) => verbs.includes(verb));

const sends = ({ steps }: Case): readonly Fields[] =>
  steps.flatMap(({ verb, fields }) => (verb === 'send' ? [contentOf(fields)] : []));

/** Whether a member can have a debug channel of which the case says nothing. */
export const canDebug = ({ account, command, debug, request }: Member): boolean =>
  account !== 'anonymous' && command && !debug && request['scopes'] === undefined;

/** Whether a member's pipe can open before its command channel is bound. */
export const canOpenFirst = ({ command, pipe }: Member): boolean => command && pipe;

const PLAIN = ['text', 'json', 'bytes'] as const;

// What has a kind or a format of its own is what such a case is about.
const hasFreeKind = (content: Fields): boolean =>
  content['kind'] === undefined && PLAIN.some((key) => content[key] !== undefined);

/**
 * When an axis is safe, read from the case alone. A bound debug channel keeps a session alive, so that cases about time
 * and ends say nothing with one; raw bytes know how messages are framed.
 */
const ALLOWS: { readonly [axis in Axis]: (of: Case) => boolean } = {
  debug: (of) => {
    const members = Object.values(of.given.members);
    const isOwn = members.some(({ debug }) => debug) || mentions(of, /debug|sessionLingerMs/i);
    return members.some(canDebug) && !isOwn && !does(of, 'clock', 'retry');
  },
  kind: (of) =>
    sends(of).length > 0 && sends(of).every(hasFreeKind) && !does(of, 'raw') && !mentions(of, /format|kind|receipt/i),
  frag: (of) => sends(of).some(({ fragments }) => fragments === undefined) && !does(of, 'raw'),
  // A ring made small on purpose may have lost `pipe.opened` by then.
  order: (of) =>
    Object.values(of.given.members).some(canOpenFirst) && !does(of, 'clock', 'retry') && !mentions(of, /"ring/),
  in: (of) => waysOf(of, 'in').length > 0,
  out: (of) => waysOf(of, 'out').length > 0,
};

/** The axes of a case: those of its file's `axes`, or all, as far as they are safe. */
export function axesOf(of: Case): readonly Axis[] {
  if (of.canary || of.tags.includes('slow') || does(of, 'restart', 'drain')) return [];
  return axisNames.filter((axis) => of.axes?.includes(axis) !== false && ALLOWS[axis](of));
}

/** The values that an axis can have in a case, the first as the file has it. */
export function valuesOf(of: Case, axis: Axis): readonly string[] {
  const own = AXES[axis][0];
  return axis === 'in' || axis === 'out' ? [own, ...waysOf(of, axis)] : AXES[axis];
}

/** An axis and the values that it can have. */
export interface Choice {
  readonly axis: Axis;
  readonly values: readonly string[];
}

/** Whether an axis says by what members come, and not how something is done. */
export const isWay = (axis: Axis): boolean => axis === 'in' || axis === 'out';
