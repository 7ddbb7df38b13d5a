import { randomBytes } from 'node:crypto';
import { bindMac } from '../drivers/bind.js';
import { channelOf, labelOf, socketOf } from '../expand.js';
import { fieldOf } from '../judge/entries.js';
import { asText, isFields, splitAt } from '../model.js';
import type { Fields, Step } from '../model.js';
import type { Json } from '../timeline.js';
import type { Run } from './run.js';
import { makeCall, openStep } from './sockets.js';

const CORRUPTIBLE: ReadonlySet<string> = new Set(['mac', 'channel', 'cnonce', 'nonce', 'sid']);

/** The `bind` verb; opens the socket first where it is not open, and waits for its hello. */
export async function bindStep(run: Run, fields: Fields, step: Step): Promise<void> {
  const at = socketOf('bind', fields);
  const { member, socket } = splitAt(at);
  const { lastSeq, eventEpoch, over } = fields;
  // Whoever cut or closed a socket and binds again under its name means a new one; so does who ended the server.
  const before = run.ledger.sockets.get(at);
  const left = before?.leaving === true || before?.life !== run.ledger.life;
  const known = left ? undefined : run.connections.get(at);
  const connection = known ?? openStep(run, { sibling: member, as: socket, ...(over === undefined ? {} : { over }) });
  const state = () => run.ledger.sockets.get(at);
  const helloOf = () => state()?.inbound.find((each) => fieldOf(each, 'method') === 'sibling.hello');
  const gone = () => state()?.refused !== undefined || state()?.closed !== undefined;
  await run.until(() => helloOf() !== undefined || gone(), run.setting.deadlineMs());
  const hello = helloOf();
  if (hello === undefined) return;
  hello.claimed = true;
  const params = fieldOf(hello, 'params');
  const nonce = isFields(params) ? params['nonce'] : undefined;
  makeCall(run, connection, {
    method: 'sibling.bind',
    params: {
      ...proofOf(run, fields, asText(nonce)),
      ...(lastSeq === undefined ? {} : { lastSeq }),
      ...(eventEpoch === undefined ? {} : { eventEpoch }),
    },
    label: labelOf('bind', fields, step.index),
  });
}

function proofOf(
  run: Run,
  fields: Fields,
  nonce: string,
): { sid: string; channel: string; cnonce: string; mac: string } {
  const grant = run.ledger.members.get(asText(fields['member']))?.grant;
  const granted = isFields(grant) ? grant : {};
  const sid = asText(fields['sid'] ?? granted['sid']);
  const siblingSecret = asText(fields['secret'] ?? granted['siblingSecret']);
  const channel = channelOf(fields);
  const cnonce = randomBytes(16).toString('base64url');
  const { corrupt } = fields;
  if (corrupt !== undefined && !CORRUPTIBLE.has(asText(corrupt))) throw new Error(`cannot corrupt ${asText(corrupt)}`);
  const proof = { siblingSecret, sid, channel, nonce, cnonce };
  const mac =
    corrupt === 'mac' ? randomBytes(32).toString('base64url') : bindMac({ ...proof, ...corruption(corrupt, channel) });
  return { sid, channel, cnonce, mac };
}

// The mac is right for something else than what the call says.
function corruption(
  what: Json | undefined,
  channel: string,
): { channel?: string; cnonce?: string; nonce?: string; sid?: string } {
  if (what === 'channel') return { channel: channel === 'debug' ? 'command' : 'debug' };
  if (what === 'cnonce') return { cnonce: randomBytes(16).toString('base64url') };
  if (what === 'nonce') return { nonce: randomBytes(16).toString('base64url') };
  if (what === 'sid') return { sid: `s_${randomBytes(16).toString('base64url')}` };
  return {};
}
