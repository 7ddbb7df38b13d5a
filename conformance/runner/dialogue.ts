import { DatagramDriver } from '../drivers/datagrams.js';
import { DialogueDriver } from '../drivers/dialogue.js';
import { endpointOf } from '../endpoints.js';
import { asText, fullAt, isFields, splitAt } from '../model.js';
import type { Fields } from '../model.js';
import type { Run } from './run.js';
import { connectionAt } from './sockets.js';

/** The `secure` verb: a connection goes on inside TLS. */
export function secureStep(run: Run, fields: Fields): void {
  const { driver, at } = connectionAt(run, fields['at']);
  if (driver.secure === undefined) throw new Error(`${at} has no TLS to begin`);
  driver.secure(run.target.tls ?? {});
}

/** The `dial` verb: a plain connection to where a transport opens its pipes, or to another port of that host. */
export function dialStep(run: Run, fields: Fields): void {
  const at = fullAt(asText(fields['as']));
  const { member } = splitAt(at);
  const { grant, overSibling = false } = run.ledger.members.get(member) ?? {};
  const transport = asText(fields['over'] ?? 'ftp');
  const naked = transport === 'naked' ? run.ledger.run?.naked?.['url'] : undefined;
  const url =
    typeof naked === 'string'
      ? new URL(naked)
      : endpointOf(run.target, { grant: isFields(grant) ? grant : {}, overSibling, kind: 'pipe', transport });
  const port = fields['port'] === undefined ? Number(url.port) : Number(fields['port']);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const from = typeof fields['local'] === 'string' ? fields['local'] : undefined;
  const conn = run.nextConn();
  const common = { type: 'socket', at, conn } as const;
  run.append({ ...common, event: 'opening', kind: 'dialogue', url: `${host}:${String(port)}`, transport });
  const Dialogue = url.protocol === 'udp:' ? DatagramDriver : DialogueDriver;
  const inside = fields['tls'] === true || (url.protocol === 'tls:' && transport === 'naked');
  const secure = inside ? { tls: run.target.tls ?? {} } : {};
  const driver = new Dialogue({ host, port, from, ...secure }, (heard) => {
    if (heard.type === 'line') run.append({ type: 'line', at, conn, dir: 'in', text: heard.text });
    else if (heard.type === 'open') run.append({ ...common, event: 'open' });
    else run.append({ ...common, event: 'closed', dir: 'in', how: heard.how, what: heard.what });
  });
  run.keep({ at, conn, member, kind: 'dialogue', driver });
}
