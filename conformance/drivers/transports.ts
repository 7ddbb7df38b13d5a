import type { Open } from './driver.js';
import { openForm } from './form/open.js';
import { openFtp } from './ftp/open.js';
import { openTcp } from './tcp/open.js';
import { openUdp } from './udp/open.js';
import { openWebSocket } from './websocket/open.js';

const PIPES: ReadonlyMap<string, Open> = new Map([
  ['websocket', openWebSocket],
  ['tcp', openTcp],
  ['form', openForm],
  ['udp', openUdp],
  ['ftp', openFtp],
]);
const SIBLINGS: ReadonlyMap<string, Open> = new Map([
  ['websocket', openWebSocket],
  ['tcp', openTcp],
]);

/** How the kit opens a socket over a transport; that it cannot is a fault of the case. */
export function openerOf(kind: 'pipe' | 'sibling', transport: string): Open {
  const open = (kind === 'pipe' ? PIPES : SIBLINGS).get(transport);
  if (open === undefined) throw new Error(`the kit opens no ${kind} over ${transport}`);
  return open;
}
