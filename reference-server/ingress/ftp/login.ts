import type { Commands } from './command.js';
import type { Dialogue } from './dialogue.js';
import { isRefusal } from './member.js';
import { facts, refusal, reply } from './words.js';

/** Wrong tickets on one connection; with the last of them it ends (FTP-9). */
const MOST_WRONG = 3;

function user(dialogue: Dialogue, name: string): void {
  const { services, protection } = dialogue;
  const who = /^(anonymous|ftp)$/i.test(name) ? 'anonymous' : name === 'porthouse' ? 'porthouse' : null;
  if (dialogue.known) dialogue.reply(reply(503, 'logged_in'));
  else if (services.tlsOnly && !protection.secured) dialogue.reply(reply(530, 'tls_needed'));
  else if (who === null) dialogue.reply(reply(530, 'unauthenticated'));
  else {
    dialogue.user = who;
    dialogue.reply(reply(331, who === 'porthouse' ? 'ticket' : 'anything'));
  }
}

function pass(dialogue: Dialogue, ticket: string): void {
  const { user: who, services } = dialogue;
  if (dialogue.known || who === null) {
    dialogue.reply(reply(503, dialogue.known ? 'logged_in' : 'user_first'));
    return;
  }
  if (who === 'anonymous') {
    dialogue.known = true;
    dialogue.reply(reply(230, 'anonymous'));
    return;
  }
  dialogue.user = null;
  const offer = services.door.redeem(ticket, 'ftp');
  if (isRefusal(offer)) refused(dialogue, offer.refused === 'draining');
  else if (dialogue.control.closed) offer.abandon();
  else {
    const { sid, room, epoch } = dialogue.enter(offer);
    dialogue.user = who;
    dialogue.known = true;
    dialogue.reply(reply(230, facts({ sid, room, epoch })));
  }
}

function refused(dialogue: Dialogue, draining: boolean): void {
  if (draining) dialogue.end('draining');
  else if (++dialogue.wrongPasses < MOST_WRONG) dialogue.reply(refusal('ticket_invalid'));
  else dialogue.end('protocol_error', reply(421, 'ticket_invalid'));
}

/** RFC 4217, section 4. What came in the clear behind it must not count as said inside. */
function auth(dialogue: Dialogue, mechanism: string): void {
  const { tls } = dialogue.services;
  if (!tls) dialogue.reply(reply(502, 'not_implemented'));
  else if (!/^TLS(-C)?$/i.test(mechanism)) dialogue.reply(refusal('not_supported'));
  else if (dialogue.protection.secured || dialogue.user !== null) dialogue.reply(reply(503, 'too_late'));
  else if (dialogue.pipelined) dialogue.end('protocol_error');
  else {
    dialogue.protection = { secured: true, sized: false, level: 'C' };
    dialogue.control.secure(tls, reply(234, 'TLS'));
  }
}

function pbsz(dialogue: Dialogue, size: string): void {
  if (!dialogue.protection.secured) dialogue.reply(reply(503, 'auth_first'));
  else if (!/^\d+$/.test(size)) dialogue.reply(reply(501, 'syntax'));
  else {
    dialogue.protection.sized = true;
    dialogue.reply(reply(200, 'PBSZ=0'));
  }
}

function prot(dialogue: Dialogue, level: string): void {
  const { protection } = dialogue;
  if (!protection.sized) dialogue.reply(reply(503, 'pbsz_first'));
  else if (/^[SE]$/i.test(level)) dialogue.reply(reply(536, 'not_supported'));
  else if (/^C$/i.test(level)) dialogue.reply(reply(534, 'tls_needed'));
  else if (!/^P$/i.test(level)) dialogue.reply(refusal('not_supported'));
  else {
    protection.level = 'P';
    dialogue.reply(reply(200, 'PROT P'));
  }
}

export const LOGIN: Commands = {
  USER: { needs: 'nothing', run: user },
  PASS: { needs: 'nothing', run: pass },
  AUTH: { needs: 'nothing', run: auth },
  PBSZ: { needs: 'nothing', run: pbsz },
  PROT: { needs: 'nothing', run: prot },
  QUIT: { needs: 'nothing', run: (dialogue) => dialogue.end('closed_by_peer') },
};
