import type { Commands } from './command.js';
import type { Dialogue } from './dialogue.js';
import { type Entry, factsOf, waiting } from './listing.js';
import { anonymousOffer, isRefusal, type Membership } from './member.js';
import { type Place, pathOf, placeOf } from './paths.js';
import { facts, refusal, reply, replyLines } from './words.js';

/** Where a path leads; null, and the client has been told, where nothing can be. */
export function place(dialogue: Dialogue, path: string): Place | null {
  const found = placeOf(path, dialogue.room);
  if (!found) dialogue.reply(refusal('not_found'));
  return found;
}

/**
 * The session in a room: the one that there is, or for an anonymous client another one, which ends that (FTP-10,
 * FTP-12). Null, and the client has been told, where it may not be there.
 */
export async function entered(dialogue: Dialogue, room: string): Promise<Membership | null> {
  const { member, services } = dialogue;
  if (member?.room === room) return member;
  if (dialogue.user !== 'anonymous') {
    dialogue.reply(refusal('forbidden'));
    return null;
  }
  const offer = await anonymousOffer(services, room);
  if (isRefusal(offer)) {
    if (offer.refused === 'draining') dialogue.end('draining');
    else dialogue.reply(refusal(offer.refused, { limit: offer.limit }));
    return null;
  }
  if (dialogue.control.closed) {
    offer.abandon();
    return null;
  }
  return dialogue.enter(offer);
}

async function cwd(dialogue: Dialogue, path: string): Promise<void> {
  const to = place(dialogue, path);
  if (!to) return;
  if (to.name !== null) dialogue.reply(refusal('not_found'));
  else if (to.room === null) {
    dialogue.inRoom = false;
    dialogue.reply(reply(250, '/'));
  } else {
    const member = await entered(dialogue, to.room);
    if (!member) return;
    dialogue.inRoom = true;
    const { sid, room, epoch } = member;
    dialogue.reply(reply(250, facts({ sid, room, epoch })));
  }
}

/** What a listing of a place shows; null, and the client has been told, where there is no such place. */
export async function entries(dialogue: Dialogue, { room, name }: Place): Promise<readonly Entry[] | null> {
  if (room === null) return rooms(dialogue);
  const member = await entered(dialogue, room);
  if (!member) return null;
  const inside = within(member, dialogue.limits.maxPageItems);
  if (name === null) return inside;
  const found = inside.filter((entry) => entry.name === name);
  if (found.length > 0) return found;
  dialogue.reply(refusal('not_found'));
  return null;
}

/** A ticket shows its own room, and a stranger is shown what it could enter. */
function rooms({ user, member, services }: Dialogue): readonly Entry[] {
  const open = user === 'anonymous' ? services.rooms.admitting(services.limits.maxPageItems) : [];
  const own = user === 'porthouse' && member ? [member.room] : [];
  return [...own, ...open].map((name) => ({ name, type: 'dir' as const }));
}

function within({ stream, pipe }: Membership, most: number): readonly Entry[] {
  return stream ? [{ name: 'stream', type: 'file' }] : waiting(pipe.queued(most));
}

async function mlst(dialogue: Dialogue, path: string): Promise<void> {
  const what = place(dialogue, path);
  if (!what) return;
  const shown = what.name === null ? await directory(dialogue, what) : await entries(dialogue, what);
  const [entry] = shown ?? [];
  if (entry) dialogue.reply(replyLines(250, 'Listing', [`${factsOf(entry)} ${pathOf(what)}`]));
}

async function directory(dialogue: Dialogue, { room }: Place): Promise<readonly Entry[] | null> {
  if (room !== null && !(await entered(dialogue, room))) return null;
  return [{ name: room ?? '/', type: 'dir' }];
}

/** What can be retrieved and has no length yet: what is to come, and a stream (FTP-33). */
const unmeasured = ({ stream }: Membership): readonly string[] => (stream ? ['stream'] : ['wait', 'next']);

async function size(dialogue: Dialogue, path: string): Promise<void> {
  const what = place(dialogue, path);
  if (!what) return;
  const member = what.room === null || what.name === null ? null : await entered(dialogue, what.room);
  if (what.name !== null && !member) return; // and the client has been told
  const found = member && within(member, dialogue.limits.maxPageItems).find(({ name }) => name === what.name);
  if (found?.bytes !== undefined) dialogue.reply(reply(213, String(found.bytes)));
  else dialogue.reply(refusal(member && unmeasured(member).includes(what.name ?? '') ? 'not_supported' : 'not_found'));
}

export const ROOMS: Commands = {
  PWD: {
    needs: 'login',
    run: (dialogue) => dialogue.reply(reply(257, `"${pathOf({ room: dialogue.room, name: null })}"`)),
  },
  CWD: { needs: 'login', run: cwd },
  CDUP: { needs: 'login', run: (dialogue) => cwd(dialogue, '..') },
  MLST: { needs: 'login', run: mlst },
  SIZE: { needs: 'login', run: size },
};
