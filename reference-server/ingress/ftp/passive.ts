import { isIPv4 } from 'node:net';
import type { ByteSocket } from '../../ports/sockets.js';
import type { Commands } from './command.js';
import { DataDoor, plainHost } from './data.js';
import type { Dialogue } from './dialogue.js';
import { refusal, reply } from './words.js';

/** Nobody shall come in by the port that was opened last. */
export function shut(dialogue: Dialogue): void {
  dialogue.data?.close();
  dialogue.data = null;
}

/** Opens a place for one data connection, in place of the one before; null, and the client has been told, where there is none. */
async function door(dialogue: Dialogue): Promise<DataDoor | null> {
  shut(dialogue);
  const { local, remote } = dialogue.control.socket;
  const { clock } = dialogue;
  const { listeners } = dialogue.services;
  const parts = { listeners, local, remote, clock, ms: dialogue.limits.ftpDataMs };
  const opened = await DataDoor.open(parts).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    dialogue.reply(reply(425, 'busy'));
    return null;
  });
  if (!opened) return null;
  if (dialogue.control.closed) opened.close();
  dialogue.data = opened;
  return opened;
}

const isV4 = (dialogue: Dialogue): boolean => isIPv4(plainHost(dialogue.control.socket.local.host));

/** RFC 2428, section 3. */
async function epsv(dialogue: Dialogue, argument: string): Promise<void> {
  const family = isV4(dialogue) ? '1' : '2';
  if (/^ALL$/i.test(argument)) {
    dialogue.extendedOnly = true;
    dialogue.reply(reply(200, 'EPSV'));
  } else if (argument !== '' && argument !== family) dialogue.reply(reply(522, 'family', `(${family})`));
  else {
    const opened = await door(dialogue);
    if (opened) dialogue.reply(reply(229, `(|||${String(opened.address.port)}|)`));
  }
}

async function pasv(dialogue: Dialogue): Promise<void> {
  if (dialogue.extendedOnly) dialogue.reply(reply(501, 'epsv_only'));
  else if (!isV4(dialogue)) dialogue.reply(reply(425, 'epsv_only'));
  else {
    const opened = await door(dialogue);
    if (!opened) return;
    const { port } = opened.address;
    const host = (dialogue.services.passiveAddress ?? plainHost(dialogue.control.socket.local.host)).split('.');
    dialogue.reply(reply(227, `(${[...host, port >> 8, port & 0xff].join(',')})`));
  }
}

/** The data connection that was asked for, or null, and the client has been told. */
export async function connected(dialogue: Dialogue): Promise<ByteSocket | null> {
  const { data } = dialogue;
  if (!data || dialogue.deaf) {
    dialogue.reply(reply(425, 'epsv_first'));
    return null;
  }
  const broken = { off: false };
  const abort = (): void => {
    broken.off = true;
    data.close();
  };
  dialogue.transfer = { abort };
  const socket = await data.take();
  dialogue.transfer = null;
  dialogue.data = null;
  if (!socket) dialogue.reply(broken.off ? refusal('truncated') : reply(425, 'timeout')); // FTP-29, FTP-36
  return socket;
}

/** Whether data may travel as things stand (RFC 4217, section 9). */
export function protectedAsWanted(dialogue: Dialogue): boolean {
  const { secured, level } = dialogue.protection;
  if (!secured || level === 'P') return true;
  dialogue.reply(reply(521, 'prot_first'));
  return false;
}

/** Says that a transfer begins; what travels then is inside TLS where the control connection is. */
export function begun(dialogue: Dialogue, socket: ByteSocket, ...texts: readonly string[]): ByteSocket {
  dialogue.reply(reply(150, ...texts));
  const { tls } = dialogue.services;
  if (!tls || !dialogue.protection.secured) return socket;
  const secure = tls.secure(socket);
  secure.stream.on('error', () => undefined); // its close says the same
  return secure;
}

export const PASSIVE: Commands = {
  EPSV: { needs: 'login', run: epsv },
  PASV: { needs: 'login', run: pasv },
};
