import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { CallParams, EventParams, Grant } from '../generated/types.js';
import { validate } from '../generated/validate.js';
import { packageRoot } from '../support/package-root.js';

const root = packageRoot();
const chapters = join(root, 'spec/protocol');

interface Vector {
  readonly name: string;
  readonly secret: string;
  readonly sid: string;
  readonly channel: string;
  readonly nonce: string;
  readonly cnonce: string;
  readonly macBase64url: string;
}

const { vectors } = JSON.parse(readFileSync(join(root, 'spec/vectors/bind.json'), 'utf8')) as {
  vectors: readonly Vector[];
};

/** The values of the fenced JSON blocks of a chapter, in order. */
function blocksOf(file: string): readonly { info: string; value: unknown }[] {
  const blocks = readFileSync(join(chapters, file), 'utf8').matchAll(/^```(json [^\n]+)\n([^]*?)^```$/gm);
  return [...blocks].map(([, info = '', text = '']) => ({ info, value: JSON.parse(text) as unknown }));
}

type Params = CallParams & EventParams;

/** The params of the messages with this method in a chapter's `json rpc` blocks. */
function paramsOf<M extends keyof Params>(file: string, method: M): readonly Params[M][] {
  const messages = blocksOf(file).filter(({ info }) => info.startsWith('json rpc'));
  return messages
    .map(({ value }) => value as { readonly method?: string; readonly params?: Params[M] })
    .flatMap((message) => (message.method === method && message.params !== undefined ? [message.params] : []));
}

void t.test('every part of a bind vector is valid on the wire', (t) => {
  for (const { name, secret, sid, channel, nonce, cnonce, macBase64url } of vectors) {
    t.ok(validate['common/secret'](secret), `${name}: secret`);
    t.ok(validate['common/nonce'](nonce), `${name}: nonce`);
    t.ok(validate['calls/sibling.bind.params']({ sid, channel, cnonce, mac: macBase64url }), `${name}: bind`);
    for (const text of [secret, nonce, cnonce, macBase64url, sid.slice(2)])
      t.equal(Buffer.from(text, 'base64url').toString('base64url'), text, `${name}: unused bits are zero`);
  }
  t.end();
});

void t.test('the mac of opening.md follows from the grant and the hello that stand above it', (t) => {
  const grant = blocksOf('opening.md').find(({ info }) => info === 'json http/grant')?.value as Grant;
  const [hello] = paramsOf('opening.md', 'sibling.hello');
  const [bind] = paramsOf('opening.md', 'sibling.bind');
  t.equal(bind?.sid, grant.sid);
  const message = ['porthouse-bind-v1', grant.sid, bind?.channel, hello?.nonce, bind?.cnonce].join('\n');
  t.equal(message.length, 96, 'the length that the chapter tells');
  const key = Buffer.from(grant.siblingSecret, 'base64url');
  t.equal(bind?.mac, createHmac('sha256', key).update(message).digest('base64url'));
  t.match(vectors[0], { secret: grant.siblingSecret, nonce: hello?.nonce, macBase64url: bind?.mac });
  t.end();
});

void t.test('every bind in the chapters is one of the vectors', (t) => {
  const files = readdirSync(chapters).filter((file) => file.endsWith('.md'));
  const binds = files.flatMap((file) => paramsOf(file, 'sibling.bind'));
  t.ok(binds.length >= 2);
  for (const { sid, channel, cnonce, mac } of binds) {
    const vector = vectors.find(({ macBase64url }) => macBase64url === mac);
    t.match(vector, { sid, channel, cnonce }, mac);
  }
  const { nonce } = vectors.find(({ macBase64url }) => macBase64url === binds[1]?.mac) ?? {};
  t.match(readFileSync(join(chapters, 'sibling.md'), 'utf8'), `after a hello with the nonce \`${String(nonce)}\``);
  t.end();
});
