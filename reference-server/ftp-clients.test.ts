import { execFile, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { Client } from 'basic-ftp';
import t, { type Test } from 'tap';
import { packageRoot } from '../support/package-root.js';
import { startServer } from './compose.js';
import { loadConfig } from './config/config.js';

const run = promisify(execFile);
const PEM = join(packageRoot(), 'reference-server/testing/tls');
const [certFile, keyFile] = [join(PEM, 'cert.pem'), join(PEM, 'key.pem')];
const ROOMS = {
  lobby: { anonymous: { send: true, receive: true }, echo: true },
  radio: { boundaries: 'ignored', anonymous: { send: true, receive: true }, echo: true },
} as const;

/** A server with a certificate, rooms for strangers, and a file to send. */
async function harbour(t: Test) {
  const dir = t.testdir({ ahoy: 'ahoy\r\n' });
  const file = join(dir, 'settings.json');
  const settings = { ftp: { port: 0 }, tls: { certFile, keyFile }, rooms: ROOMS, logLevel: 'error' };
  writeFileSync(file, JSON.stringify({ ...settings, limits: { drainMs: 0 } }));
  const server = await startServer(loadConfig(file, { port: 0 }));
  t.teardown(() => server.drain());
  const { stdout } = await run('curl', ['-s', '--cacert', certFile, discoveryOf(server.url)]);
  const { endpoints } = JSON.parse(stdout) as { endpoints: { pipe: { ftp: string } } };
  const port = new URL(endpoints.pipe.ftp).port;
  return { url: `ftp://localhost:${port}`, port: Number(port), ahoy: join(dir, 'ahoy') };
}

const discoveryOf = (url: string): string => `${url.replace('127.0.0.1', 'localhost')}/.well-known/porthouse`;

/** Where a tool is missing the test is skipped by name; where CI is true it fails. */
function withTool(tool: string, name: string, test: (t: Test) => Promise<void>): void {
  const there =
    spawnSync(tool, ['--version']).error === undefined && spawnSync('curl', ['--version']).error === undefined;
  const skip = there || process.env.CI === 'true' ? false : `${tool} is not installed`;
  void t.test(name, { skip }, test);
}

withTool('curl', 'curl stores and lists, in the clear and inside TLS', async (t) => {
  const { url, ahoy } = await harbour(t);
  t.match((await run('curl', ['-s', `${url}/`])).stdout, /^d.* lobby\r?\nd.* radio\r?\n$/);
  for (const secure of [[], ['--ssl-reqd', '--cacert', certFile]]) {
    const { stderr } = await run('curl', ['-sSv', ...secure, '-T', ahoy, `${url}/lobby/x`]);
    t.match(stderr, /< 226 epoch=1 n=1 id=\S+ members=1/);
    const { stdout } = await run('curl', ['-s', ...secure, '-T', ahoy, `${url}/lobby/y`, '-Q', '-SIZE next']);
    t.equal(stdout, '');
  }
});

/** A curl that retrieves, once it is in the room: whatever is sent from here on is for it. */
async function retrieving(t: Test, url: string): Promise<{ come: Promise<string> }> {
  const curl = spawn('curl', ['-sSvN', url]);
  t.teardown(() => curl.kill());
  let [said, got] = ['', ''];
  const come = new Promise<string>((resolve) => {
    // From the start: what nobody has read when curl ends, Node throws away.
    curl.stdout.on('data', (chunk: Buffer) => {
      got += String(chunk);
      if (got.endsWith('\n')) resolve(got);
    });
  });
  await new Promise<void>((resolve) => {
    curl.stderr.on('data', (chunk: Buffer) => {
      said += String(chunk);
      if (/< 229 /.test(said)) resolve();
    });
  });
  return { come };
}

withTool('curl', 'curl waits for a message and for a stream, though neither has a length yet', async (t) => {
  const { url, ahoy } = await harbour(t);
  for (const [path, how] of [
    ['/lobby/wait', []],
    ['/radio/stream', ['-a']],
  ] as const) {
    const { come } = await retrieving(t, `${url}${path}`);
    await run('curl', ['-sS', ...how, '-T', ahoy, new URL('x', `${url}${path}`).href]);
    t.equal(await come, 'ahoy\r\n', path);
  }
});

withTool('lftp', 'lftp puts a file and gets it back, in the clear and inside TLS', async (t) => {
  const { url, ahoy } = await harbour(t);
  const plain = 'set ftp:ssl-allow no';
  const secure = `set ftp:ssl-force yes; set ftp:ssl-protect-data yes; set ssl:ca-file ${certFile}`;
  for (const settings of [plain, secure]) {
    const script = `${settings}; open ${url}/lobby; put ${ahoy}; cls -1; cat next; put ${ahoy}; cat wait; bye`;
    const { stdout } = await run('lftp', ['-c', script]);
    t.match(stdout, /next\n(.*\n)?ahoy\r\n(.*\n)?ahoy\r\n/);
  }
});

const PYTHON = `
import ftplib, io, ssl, sys
host, port, ca = 'localhost', int(sys.argv[1]), sys.argv[2]
for secure in (False, True):
    f = ftplib.FTP_TLS(context=ssl.create_default_context(cafile=ca)) if secure else ftplib.FTP()
    f.connect(host, port)
    f.login()
    if secure: f.prot_p()
    f.cwd('lobby')
    assert f.storlines('STOR x', io.BytesIO(b'one\\ntwo\\n')).startswith('226 epoch=1 n=1 '), 1
    assert f.nlst() == ['next'], 2
    assert f.size('next') == 10, 3
    assert list(f.mlsd())[0][1]['size'] == '10', 4
    got = []
    f.retrbinary('RETR next', got.append)
    assert b''.join(got) == b'one\\r\\ntwo\\r\\n', 5
    f.set_pasv(True)
    f.cwd('/radio')
    down = f.transfercmd('RETR stream')
    g = ftplib.FTP(); g.connect(host, port); g.login()
    assert g.storbinary('APPE /radio/x', io.BytesIO(b'z' * 100000)) == '226 epoch=1 n=100000', 6
    n = 0
    while n < 100000: n += len(down.recv(65536))
    f.abort()
    f.close()
    g.quit()
print('done')
`;

withTool('python3', "Python's ftplib stores lines, streams and aborts, in the clear and inside TLS", async (t) => {
  const { port } = await harbour(t);
  t.equal((await run('python3', ['-c', PYTHON, String(port), certFile])).stdout, 'done\n');
});

void t.test('basic-ftp uploads and downloads, in the clear and inside TLS', async (t) => {
  const { port } = await harbour(t);
  for (const secure of [false, true]) {
    const client = new Client(5000);
    const secureOptions = { rejectUnauthorized: false };
    await client.access({ host: 'localhost', port, secure, secureOptions });
    await client.cd('lobby');
    t.match(await client.uploadFrom(Readable.from([Buffer.alloc(50_000, 'x')]), 'x'), { code: 226 });
    t.same(
      (await client.list()).map(({ name, size }) => [name, size]),
      [['next', 50_000]],
    );
    let bytes = 0;
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        done();
      },
    });
    t.match(await client.downloadTo(sink, 'next'), { code: 226 });
    t.equal(bytes, 50_000);
    client.close();
  }
});
