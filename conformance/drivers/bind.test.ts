import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { bindMac, bindMessage } from './bind.js';

interface BindVector {
  readonly name: string;
  readonly secret: string;
  readonly sid: string;
  readonly channel: string;
  readonly nonce: string;
  readonly cnonce: string;
  readonly message: string;
  readonly mac: string;
  readonly macBase64url: string;
}

const vectorsUrl = new URL('../../spec/vectors/bind.json', import.meta.url);
const scriptPath = fileURLToPath(new URL('../../spec/vectors/make-bind.sh', import.meta.url));
const committed = readFileSync(vectorsUrl, 'utf8');
const { vectors } = JSON.parse(committed) as { vectors: readonly BindVector[] };

test('the driver computes the message and mac of every committed vector', (t) => {
  t.ok(vectors.length >= 4, 'there are vectors');
  for (const { name, secret, message, mac, macBase64url, ...rest } of vectors) {
    t.equal(bindMessage(rest).toString('hex'), message, `${name}: message`);
    t.equal(bindMac({ ...rest, siblingSecret: secret }), macBase64url, `${name}: mac`);
    t.equal(Buffer.from(macBase64url, 'base64url').toString('hex'), mac, `${name}: both spellings of the mac agree`);
    t.equal(Buffer.from(secret, 'base64url').length, 32, `${name}: 256 bit secret`);
    t.equal(Buffer.from(rest.nonce, 'base64url').length, 16, `${name}: 16-byte nonce`);
    t.match(rest.nonce + rest.cnonce, /^[A-Za-z0-9_-]{44}$/, `${name}: unpadded base64url`);
  }
  t.end();
});

test('every part of a proof changes the mac', (t) => {
  const [first] = vectors;
  if (first === undefined) throw new Error('no vectors');
  const proof = { ...first, siblingSecret: first.secret };
  const macs = [
    bindMac(proof),
    bindMac({ ...proof, siblingSecret: proof.nonce }),
    bindMac({ ...proof, sid: `${proof.sid}x` }),
    bindMac({ ...proof, channel: 'debug' }),
    bindMac({ ...proof, nonce: proof.cnonce }),
    bindMac({ ...proof, cnonce: proof.nonce }),
  ];
  t.equal(new Set(macs).size, macs.length);
  t.end();
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const missing = hasOpenssl || process.env.CI === 'true' ? {} : { skip: 'openssl is not installed' };

test('openssl and printf alone print the committed vectors', missing, (t) => {
  t.equal(execFileSync('sh', [scriptPath], { encoding: 'utf8' }), committed);
  t.end();
});
