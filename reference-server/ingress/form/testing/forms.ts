import type { FormMessage, FormReceipt, FormTicket, Grant } from '../../../../generated/types.js';
import type { Answer } from '../../../testing/http.js';
import type { Stage } from '../../../testing/stage.js';
import type { Member } from '../../../testing/world.js';

export const URLENCODED = { 'content-type': 'application/x-www-form-urlencoded' };
export const ALICE = { authorization: 'Bearer dev.alice' };
export const PAGE = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
export const at = (room: string): string => `/porthouse/v1/rooms/${room}/messages`;

export type Fields = readonly (readonly [name: string, value: string | Buffer])[];

export interface Posting {
  readonly room?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A whole form; values that are bytes go as files. */
export function multipart(fields: Fields): { headers: Record<string, string>; body: Buffer } {
  const parts = fields.flatMap(([name, value]) => {
    const file = typeof value === 'string' ? '' : '; filename="f"';
    return [`--b\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`, value, '\r\n'].map((x) =>
      Buffer.from(x),
    );
  });
  const headers = { 'content-type': 'multipart/form-data; boundary=b' };
  return { headers, body: Buffer.concat([...parts, Buffer.from('--b--\r\n')]) };
}

export function post(stage: Stage, fields: Fields, { room = 'lobby', headers = {} }: Posting = {}): Promise<Answer> {
  const form = multipart(fields);
  return stage.ask({ method: 'POST', path: at(room), body: form.body, headers: { ...form.headers, ...headers } });
}

export async function ticketFor(stage: Stage, room = 'lobby', query = ''): Promise<string> {
  return (JSON.parse((await stage.ask({ path: `${at(room)}${query}` })).body) as FormTicket).ticket;
}

export const receiptOf = ({ body }: Answer): FormReceipt => JSON.parse(body) as FormReceipt;
export const messagesOf = ({ body }: Answer): readonly FormMessage[] =>
  (JSON.parse(body) as { messages?: FormMessage[] }).messages ?? [];

/** A member of the lobby with a pipe over the form, and the grant for it. */
export function granted(stage: Stage, more: object = {}): { member: Member; grant: Grant } {
  const member = stage.world.member({ transport: 'form', ...more });
  member.sibling.bind(member.grant);
  return { member, grant: member.grant };
}
