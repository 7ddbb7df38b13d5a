import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { SignJWT, UnsecuredJWT, exportJWK, exportSPKI, generateKeyPair } from 'jose';
import t from 'tap';
import { developmentAuthenticator } from '../auth/development.js';
import { AuthError } from '../auth/error.js';
import { jwtAuthenticator } from '../auth/jwt.js';
import { packageRoot } from '../../support/package-root.js';
import { startServer } from '../compose.js';
import { ConfigError, loadConfig } from './config.js';

void t.test('the settings that people copy are good, with all that is written in comments too', (t) => {
  const file = join(packageRoot(), 'examples/porthouse.yaml');
  t.equal(loadConfig(file, {}).naked.length, 4);
  const all = join(t.testdir(), 'all.yaml');
  writeFileSync(all, readFileSync(file, 'utf8').replaceAll(/^# (tls|testHooks):/gm, '$1:'));
  t.match(loadConfig(all, {}), { tls: { certFile: 'cert.pem' }, testHooks: { token: /^at-least/ } });
  t.end();
});

interface Row {
  readonly text: string;
  readonly says: RegExp;
}

const SECRET = 'x'.repeat(32);
const BAD: readonly Row[] = [
  { text: '{', says: /flow|map|expected/i },
  { text: '- a', says: /: \/: must be object/ },
  { text: 'hosts: x', says: /\/hosts: must be array/ },
  { text: 'port: 70000', says: /\/port: must be <= 65535/ },
  { text: 'prot: 1', says: /\/prot: is not a setting/ },
  { text: 'auth: { secret: short }', says: /\/auth\/secret: must NOT have fewer than 32/ },
  { text: 'auth: {}', says: /\/auth/ },
  { text: `auth: { secret: ${SECRET}, jwksFile: x }`, says: /\/auth/ },
  { text: 'limits: { nothing: 1 }', says: /limits\.nothing: there is no such limit/ },
  { text: 'limits: { constructor: 1 }', says: /limits\.constructor: there is no such limit/ },
  { text: 'limits: { ticketMs: 0 }', says: /limits\.ticketMs: 0 is not within 1\.\.600000/ },
  { text: 'limits: { ticketMs: 1.5 }', says: /\/limits\/ticketMs: must be integer/ },
  { text: 'limits: { hardMessageBytes: 10 }', says: /maxMessageBytes: is more than limits\.hardMessageBytes/ },
  { text: 'rooms: { Lobby: {} }', says: /\/rooms/ },
  { text: 'rooms: { lobby: { echo: yes please } }', says: /rooms\/lobby\/echo/ },
  { text: 'host: 0.0.0.0', says: /loopback only/ },
  { text: 'host: "::"', says: /loopback only/ },
  { text: `host: 0.0.0.0\nauth: { secret: ${SECRET} }`, says: /TLS is mandatory/ },
  { text: 'testHooks: { token: short }', says: /\/testHooks\/token: must match/ },
  { text: 'ftp: { passivePorts: [2, 1] }', says: /ftp\/passivePorts: the first is beyond the last/ },
  { text: 'ftp: { passivePorts: [2] }', says: /\/ftp/ },
  { text: 'ftp: {}\ntlsTerminatedByProxy: true', says: /behind a proxy FTP needs TLS of its own/ },
  { text: 'testHooks: {}', says: /\/testHooks: must have required property 'token'/ },
  {
    text: `host: 0.0.0.0\nauth: { secret: ${SECRET} }\ntlsTerminatedByProxy: true\ntestHooks: { token: ${SECRET} }`,
    says: /with `testHooks` the server listens on loopback only/,
  },
  { text: `tlsTerminatedByProxy: true\ntestHooks: { token: ${SECRET} }`, says: /loopback only, without a proxy/ },
];

void t.test('what is wrong in the settings is said in one line with its place', (t) => {
  const file = join(t.testdir(), 'config.yaml');
  for (const { text, says } of BAD) {
    writeFileSync(file, text);
    try {
      loadConfig(file, {});
      t.fail(text);
    } catch (error) {
      t.match(error, { constructor: ConfigError, message: says }, text);
      t.notMatch((error as Error).message, /\n/, text);
    }
  }
  t.throws(() => loadConfig(join(t.testdir(), 'nowhere.yaml'), {}), { constructor: ConfigError, message: /ENOENT/ });
  t.end();
});

void t.test('settings have defaults, and the command line wins', (t) => {
  const file = join(t.testdir(), 'config.json');
  writeFileSync(file, JSON.stringify({ port: 1, hosts: ['Chat.Example'], limits: { ticketMs: 5 }, rooms: {} }));
  t.match(loadConfig(file, { port: 2 }), {
    host: '127.0.0.1',
    port: 2,
    hosts: ['chat.example'],
    limits: { ticketMs: 5, bindMs: 10000 },
  });
  t.same(Object.keys(loadConfig(undefined, {}).rooms), ['lobby'], 'the room for a first try');
  writeFileSync(file, JSON.stringify({ auth: { secret: SECRET } }));
  t.same(loadConfig(file, {}).rooms, {}, 'and none with authentication');
  writeFileSync(file, JSON.stringify({ host: '0.0.0.0', auth: { secret: SECRET }, tlsTerminatedByProxy: true }));
  t.equal(loadConfig(file, {}).host, '0.0.0.0');
  writeFileSync(file, '');
  t.equal(loadConfig(file, {}).port, 8790, 'an empty file asks for nothing');
  t.end();
});

void t.test('UDP listens on loopback unless it is asked for', (t) => {
  const file = join(t.testdir(), 'c.json');
  const loaded = (settings: object, port?: number): unknown => {
    writeFileSync(file, JSON.stringify(settings));
    return loadConfig(file, port === undefined ? {} : { port }).udp;
  };
  const open = { host: '0.0.0.0', tlsTerminatedByProxy: true, auth: { secret: 'x'.repeat(32) } };
  t.same(loaded({}), { port: 8792 });
  t.same(loaded({}, 0), { port: 0 }, 'any port where any port will do');
  t.equal(loaded({ udp: null }), null);
  t.equal(loaded(open), null, 'what can be read on the way needs somebody to decide that it may be');
  t.same(loaded({ ...open, udp: { port: 9 } }), { port: 9 });
  t.throws(() => loaded({ udp: 9 }), { constructor: ConfigError, message: /udp/ });
  t.throws(() => loaded({ naked: [{ transport: 'udp', port: 1 }] }), { message: /naked\/0: .*room/ });
  t.end();
});

void t.test('a room that the server cannot keep is a mistake in the settings', async (t) => {
  const config = loadConfig(undefined, { port: 0 });
  const rooms = { a: { limits: { maxMembers: 1001 } }, b: { lifetime: 'persistent' as const } };
  await t.rejects(startServer({ ...config, rooms: { a: rooms.a } }), {
    constructor: ConfigError,
    message: /rooms\/a\/limits\/maxMembers: too large/,
  });
  await t.rejects(startServer({ ...config, rooms: { b: rooms.b } }), {
    constructor: ConfigError,
    message: /rooms\/b\/lifetime: not supported/,
  });
});

void t.test('a key set that is none is a mistake in the settings', (t) => {
  const jwksFile = join(t.testdir(), 'keys.json');
  t.throws(() => jwtAuthenticator({ jwksFile }), { constructor: AuthError, message: /auth\.jwksFile: .*ENOENT/ });
  for (const text of ['', '{}', '{"keys":1}', '[]']) {
    writeFileSync(jwksFile, text);
    t.throws(() => jwtAuthenticator({ jwksFile }), { constructor: AuthError, message: /^auth\.jwksFile: / }, text);
  }
  t.end();
});

const token = (claims: object = {}): SignJWT =>
  new SignJWT({ sub: 'alice', ...claims }).setProtectedHeader({ alg: 'HS256' });
const key = new TextEncoder().encode(SECRET);

void t.test('a token with a shared secret speaks for its subject, and no other token for anybody', async (t) => {
  const rules = { secret: SECRET, issuer: 'harbour', audience: 'porthouse' };
  const good = token().setExpirationTime('1m').setIssuer('harbour').setAudience('porthouse');
  const authenticator = jwtAuthenticator(rules);
  const signed = await good.sign(key);
  t.same(await authenticator.authenticate(signed), { account: 'alice' });
  t.same(
    await jwtAuthenticator({ secret: SECRET }).authenticate(signed),
    { account: 'alice' },
    'claims that nobody asked for',
  );
  const [head = '', body = '', signature = ''] = signed.split('.');
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: 'alice', iss: 'harbour', aud: 'porthouse', exp: 9e9 };
  const hs512 = `${encode({ alg: 'HS512' })}.${encode(claims)}`;
  const critical = `${encode({ alg: 'HS256', crit: ['grade'], grade: 1 })}.${encode(claims)}`;
  const bad: Readonly<Record<string, string>> = {
    'another secret': await good.sign(new TextEncoder().encode('y'.repeat(32))),
    'no signature': new UnsecuredJWT(claims).encode(),
    'no signature, spelt otherwise': `${encode({ alg: 'nOnE' })}.${encode(claims)}.`,
    'another algorithm': `${hs512}.${createHmac('sha512', key).update(hs512).digest('base64url')}`,
    'another head': `${encode({ alg: 'HS256', typ: 'x' })}.${body}.${signature}`,
    'another body': `${head}.${encode({ ...claims, sub: 'bob' })}.${signature}`,
    'a critical extension': `${critical}.${createHmac('sha256', key).update(critical).digest('base64url')}`,
    expired: await token().setExpirationTime(1).setIssuer('harbour').setAudience('porthouse').sign(key),
    'no end': await token().setIssuer('harbour').setAudience('porthouse').sign(key),
    'not yet': await token({ nbf: 9e9, exp: 9e10, iss: 'harbour', aud: 'porthouse' }).sign(key),
    'another issuer': await token({ exp: 9e9, iss: 'x', aud: 'porthouse' }).sign(key),
    'another audience': await token({ exp: 9e9, iss: 'harbour', aud: 'x' }).sign(key),
    'no subject': await new SignJWT({ exp: 9e9, iss: 'harbour', aud: 'porthouse' })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(key),
    'an empty subject': await token({ sub: '', exp: 9e9, iss: 'harbour', aud: 'porthouse' }).sign(key),
    'no token': '',
    'dots only': '..',
    'a development token': 'dev.alice',
  };
  for (const [what, each] of Object.entries(bad)) t.equal(await authenticator.authenticate(each), null, what);
});

void t.test('a token is checked against a set of public keys, which are no secrets', async (t) => {
  const [ours, theirs] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')];
  const jwksFile = join(t.testdir(), 'keys.json');
  const shared = { kty: 'oct', kid: 'shared', k: Buffer.from(SECRET).toString('base64url') };
  writeFileSync(
    jwksFile,
    JSON.stringify({ keys: [{ ...(await exportJWK(ours.publicKey)), kid: 'one', alg: 'ES256' }, shared] }),
  );
  const authenticator = jwtAuthenticator({ jwksFile });
  const claims = { sub: 'alice', exp: 9e9 };
  const sign = (alg: string, kid: string | undefined, by: Parameters<SignJWT['sign']>[0]): Promise<string> =>
    new SignJWT(claims).setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) }).sign(by);
  t.same(await authenticator.authenticate(await sign('ES256', 'one', ours.privateKey)), { account: 'alice' });
  t.same(await authenticator.authenticate(await sign('ES256', undefined, ours.privateKey)), { account: 'alice' });
  const pem = new TextEncoder().encode(await exportSPKI(ours.publicKey));
  const bad: Readonly<Record<string, string>> = {
    'a key of somebody else': await sign('ES256', 'one', theirs.privateKey),
    'a key that is not in the set': await sign('ES256', 'two', ours.privateKey),
    'the public key as a secret': await sign('HS256', 'one', pem),
    'a shared key in the set': await sign('HS256', 'shared', key),
    'no signature': new UnsecuredJWT(claims).encode(),
  };
  for (const [what, each] of Object.entries(bad)) t.equal(await authenticator.authenticate(each), null, what);
});

void t.test('development tokens are those of a plain form', async (t) => {
  t.same(await developmentAuthenticator.authenticate('dev.a-b_9'), { account: 'a-b_9' });
  for (const bad of ['dev.', 'dev.Alice', `dev.${'a'.repeat(33)}`, 'xdev.alice', 'dev.alice\n', 'dev.a b', '']) {
    t.equal(await developmentAuthenticator.authenticate(bad), null, JSON.stringify(bad));
  }
});

t.test('the schema of settings is one', (t) => {
  const schema = JSON.parse(
    readFileSync(join(packageRoot(), 'reference-server/config/config.schema.json'), 'utf8'),
  ) as object;
  const ajv = new Ajv2020();
  t.ok(ajv.validateSchema(schema), JSON.stringify(ajv.errors));
  t.end();
});
