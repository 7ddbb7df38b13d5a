import { type ErrorName, errors } from '../../../generated/errors.js';
import type { EndCause } from '../../../generated/types.js';

type Facts = Readonly<Record<string, string | number | undefined>>;

/** Facts as a reply has them: `epoch=1 n=7`. */
export function facts(values: Facts): string {
  const told = Object.entries(values).filter(([, value]) => value !== undefined);
  return told.map(([name, value]) => `${name}=${String(value)}`).join(' ');
}

/** One line: a code, and a text for people and programs. */
export function reply(code: number, ...texts: readonly string[]): string {
  return `${String(code)} ${texts.filter((text) => text !== '').join(' ')}\r\n`;
}

/** Several lines under one code (RFC 959, section 4.2); those between begin with a blank. */
export function replyLines(code: number, first: string, lines: readonly string[]): string {
  const between = lines.map((line) => ` ${line}\r\n`).join('');
  return `${String(code)}-${first}\r\n${between}${String(code)} End\r\n`;
}

/** What the registry has for an error, with the facts that belong to it (FTP-15). */
export function refusal(name: ErrorName, values: Facts = {}): string {
  return reply(errors[name].ftp ?? 550, name, facts(values));
}

/** The last words on a control connection, for each cause for which a pipe ends; null where nobody is there to hear. */
const LAST_CODES: Readonly<Record<EndCause, number | null>> = {
  closed_by_peer: 221,
  closed_by_session: 421,
  stream_ended: 421,
  lost: null,
  timeout: 421,
  replaced: 421,
  message_too_long: 552,
  protocol_error: 500,
  invalid_utf8: 550,
  slow_consumer: 421,
  draining: 421,
  room_closed: 421,
  switch_timeout: 421,
  move_failed: 421,
  numbers_exhausted: null,
};

export function lastWords(cause: EndCause): string {
  const code = LAST_CODES[cause];
  return code === null ? '' : reply(code, cause);
}
