import type { Commands } from './command.js';
import type { Dialogue } from './dialogue.js';
import { facts, refusal, reply, replyLines } from './words.js';

/** TYPE says what a message is to its room, and changes no byte (FTP-13). */
function type(dialogue: Dialogue, argument: string): void {
  if (/^A( N)?$/i.test(argument)) dialogue.kind = 'text';
  else if (/^(I|L 8)$/i.test(argument)) dialogue.kind = 'binary';
  else {
    dialogue.reply(refusal('not_supported'));
    return;
  }
  dialogue.reply(reply(200, dialogue.kind));
}

/** A command of which only one value is there. */
const only =
  (value: string) =>
  (dialogue: Dialogue, argument: string): void =>
    dialogue.reply(argument.toUpperCase() === value ? reply(200, value) : refusal('not_supported'));

/** The length of the next upload: one of another length is truncated (FTP-18). */
function allo(dialogue: Dialogue, argument: string): void {
  const length = /^(\d{1,15})( R \d{1,15})?$/i.exec(argument)?.[1];
  if (length === undefined) dialogue.reply(reply(501, 'syntax'));
  else if (Number(length) > dialogue.limits.hardMessageBytes && dialogue.member?.stream !== true) {
    dialogue.reply(reply(552, 'message_too_long', facts({ limit: dialogue.limits.hardMessageBytes })));
  } else {
    dialogue.allocated = Number(length);
    dialogue.reply(reply(200, facts({ bytes: length })));
  }
}

const FEATURES = ['EPSV', 'MLST type*;size*;perm*;media-type*;', 'SIZE', 'TVFS', 'UTF8'];

function feat(dialogue: Dialogue): void {
  const tls = dialogue.services.tls ? ['AUTH TLS', 'PBSZ', 'PROT'] : [];
  dialogue.reply(replyLines(211, 'Features', [...FEATURES, ...tls].sort()));
}

function opts(dialogue: Dialogue, argument: string): void {
  dialogue.reply(/^UTF8( ON)?$/i.test(argument) ? reply(200, 'UTF8') : reply(501, 'syntax'));
}

/** Where everything stands; also in the middle of a transfer. */
function stat(dialogue: Dialogue, argument: string): void {
  const { member, transfer } = dialogue;
  if (argument !== '') {
    dialogue.reply(refusal('not_supported'));
    return;
  }
  const place = member && {
    ...{ sid: member.sid, room: member.room, epoch: member.epoch },
    ...{ c2s: member.pipe.received, s2c: member.pipe.written, unit: member.pipe.unit },
  };
  const state = facts({ ...place, type: dialogue.kind, transfer: transfer ? 'yes' : 'no' });
  dialogue.reply(replyLines(211, 'porthouse', [state]));
}

export const SETTINGS: Commands = {
  TYPE: { needs: 'login', run: type },
  MODE: { needs: 'login', run: only('S') },
  STRU: { needs: 'login', run: only('F') },
  ALLO: { needs: 'login', run: allo },
  FEAT: { needs: 'nothing', run: feat },
  OPTS: { needs: 'nothing', run: opts },
  SYST: { needs: 'nothing', run: (dialogue) => dialogue.reply(reply(215, 'UNIX Type: L8')) },
  NOOP: { needs: 'nothing', run: (dialogue) => dialogue.reply(reply(200, 'ok')) },
  HELP: { needs: 'nothing', run: (dialogue) => dialogue.reply(reply(214, 'see spec/protocol/ftp.md')) },
  STAT: { needs: 'nothing', run: stat },
};
