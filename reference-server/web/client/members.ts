import type { Client } from './client.js';
import { make } from './dom.js';
import { CallError, type Fields, isFields } from './sibling.js';

const SHORT_SID = 8;

/** Who is in the room, whatever they came by; kept up to date by presence events where the account may have them. */
export class Members {
  readonly #list: HTMLElement;
  readonly #known = new Map<string, Fields>();

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  /** Asks for everybody, and to be told of whoever comes or goes. */
  async follow(client: Client): Promise<void> {
    this.#known.clear();
    try {
      await client.call('subscribe', { events: ['room.member', 'pipe.receipt'] });
      for (let after: string | undefined, more = true; more;) {
        const page = await client.call('room.members', after === undefined ? {} : { after });
        const members = Array.isArray(page['members']) ? page['members'].filter(isFields) : [];
        for (const member of members) this.#known.set(String(member['sid']), member);
        after = String(members.at(-1)?.['sid']);
        more = page['more'] === true && members.length > 0;
      }
      this.#show(client.grant.sid);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      const text =
        error.reason === 'unauthenticated' ? 'Only accounts are told who is here: open with a token.' : error.message;
      this.#list.replaceChildren(make('li', { class: 'away' }, text));
    }
  }

  /** Takes a `room.member` event. */
  take({ change, member }: Fields, self: string): void {
    if (!isFields(member)) return;
    const sid = String(member['sid']);
    if (change === 'left') this.#known.delete(sid);
    else this.#known.set(sid, member);
    this.#show(self);
  }

  #show(self: string): void {
    const items = [...this.#known.values()].map((member) => {
      const { sid, anonymous, pipe, transport } = member;
      const who = sid === self ? 'you' : anonymous === true ? 'anonymous' : 'account';
      const way = pipe === true ? (typeof transport === 'string' ? transport : 'pipe open') : 'no pipe';
      const short = String(sid).slice(0, SHORT_SID);
      return make('li', { class: pipe === true ? '' : 'away', title: String(sid) }, `${who} ${short} · ${way}`);
    });
    this.#list.replaceChildren(...items);
  }
}
