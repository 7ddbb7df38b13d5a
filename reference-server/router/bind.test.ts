import { readFileSync } from 'node:fs';
import t from 'tap';
import { bindMac, proves } from './bind.js';

interface Vector {
  readonly name: string;
  readonly secret: string;
  readonly sid: string;
  readonly channel: 'command' | 'debug';
  readonly nonce: string;
  readonly cnonce: string;
  readonly mac: string;
  readonly macBase64url: string;
}

const file = new URL('../../spec/vectors/bind.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: readonly Vector[] };

void t.test('the router computes the mac of every vector', (t) => {
  t.ok(vectors.length > 0);
  for (const { name, secret, mac, ...bind } of vectors) {
    t.equal(bindMac(Buffer.from(secret, 'base64url'), bind).toString('hex'), mac, name);
  }
  t.end();
});

void t.test('a bind with the mac of a vector proves that vector and no other', (t) => {
  for (const { name, secret, nonce, macBase64url, sid, channel, cnonce } of vectors) {
    const bind = { sid, channel, cnonce, mac: macBase64url };
    t.ok(proves(Buffer.from(secret, 'base64url'), bind, nonce), name);
    for (const other of vectors.filter((vector) => vector.name !== name)) {
      t.notOk(proves(Buffer.from(secret, 'base64url'), { ...bind, mac: other.macBase64url }, nonce), other.name);
    }
  }
  t.end();
});
