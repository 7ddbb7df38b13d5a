import type { SocketState } from '../judge/entries.js';
import type { Ledger } from '../judge/ledger.js';
import { specOf } from '../judge/scope.js';
import { received } from '../judge/outcome.js';
import type { MessageBody, TimelineRecord } from '../timeline.js';
import type { FinishedRun, Violation } from './violation.js';
import { violation } from './violation.js';

/** DELIV-7 and DELIV-5: what came out of a pipe was sent by somebody, in a room that both have been in; of streams the cases say what. */
export function pipeViolations({ ledger, records }: FinishedRun): Violation[] {
  const posted = records.flatMap((record) => (record.type === 'http' && record.posted ? [record.posted] : []));
  if (posted.includes('unknown')) return []; // as with raw bytes
  const rooms = sentByRoom(ledger);
  const forms = new Set(posted.flat());
  const everything = new Set(ledger.sent.map(({ record }) => record.sha256));
  return ledger.all
    .filter(({ kind, member }) => kind === 'pipe' && !roomsOf(ledger, member).some((room) => hasRaw(ledger, room)))
    .filter(({ member }) => !roomsOf(ledger, member).some((room) => specOf(ledger, room)['boundaries'] === 'ignored'))
    .flatMap((pipe) => {
      const own = roomsOf(ledger, pipe.member).map((room) => rooms.get(room));
      return messagesOf(pipe)
        .filter(({ sha256 }) => !forms.has(sha256) && !own.some((sent) => sent?.has(sha256)))
        .map((record) => stranger(record, everything.has(record.sha256)));
    });
}

function stranger(record: TimelineRecord & MessageBody, elsewhere: boolean): Violation {
  const requirement = elsewhere ? 'DELIV-5' : 'DELIV-7';
  const expected = elsewhere ? 'only what members of this room sent' : 'only what some member sent';
  return violation({ requirement, record, expected, received: received(record) });
}

/** Where in its pipe a member has changed its room, is for the cases to prove. */
function roomsOf(ledger: Ledger, member: string): readonly string[] {
  const { room = '', left = [] } = ledger.members.get(member) ?? {};
  return [room, ...left];
}

function messagesOf(pipe: SocketState): (TimelineRecord & MessageBody)[] {
  return pipe.inbound.flatMap(({ record }) => (record.type === 'message' ? [record] : []));
}

function sentByRoom(ledger: Ledger): Map<string, Set<string>> {
  const rooms = new Map<string, Set<string>>();
  for (const { member, record } of ledger.sent) {
    for (const room of roomsOf(ledger, member)) {
      const hashes = rooms.get(room) ?? new Set();
      rooms.set(room, hashes.add(record.sha256));
    }
  }
  return rooms;
}

// What raw bytes add up to is the server's reading, which this rule cannot know.
function hasRaw(ledger: Ledger, room: string): boolean {
  const speaks = ({ kind, member }: SocketState): boolean =>
    kind === 'dialogue' || (kind === 'pipe' && roomsOf(ledger, member).includes(room));
  return ledger.all.some((each) => each.raw && speaks(each));
}
