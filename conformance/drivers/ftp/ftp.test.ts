import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import t from 'tap';
import type { Driver, DriverRecord } from '../driver.js';
import { RecordQueue } from '../record-queue.js';
import type { OpenResult } from '../websocket/opening.js';
import { openFtp } from './open.js';

const TICKET = 'YS10aWNrZXQ';

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** The server's side of a dialogue, written by hand in each test. */
interface Script {
  /** The next line that the client says. */
  readonly line: () => Promise<string>;
  readonly say: (...lines: readonly string[]) => void;
  /** Answers an EPSV; what it opens resolves with the data connection. */
  readonly door: () => Promise<{ readonly data: Promise<Socket> }>;
  readonly control: Socket;
}

interface Talk {
  readonly driver: Driver;
  readonly result: OpenResult;
  readonly records: RecordQueue<DriverRecord>;
}

/** Lets a driver open against a script, and gives what it reports to `look`. */
async function talk(script: (each: Script) => Promise<void>, look: (talk: Talk) => Promise<void>): Promise<void> {
  const lines = new RecordQueue<string>();
  const doors: Server[] = [];
  let played: Promise<void> = Promise.resolve();
  const server = createServer((control) => {
    let rest = '';
    control
      .on('error', () => undefined)
      .on('data', (data) => {
        const parts = (rest + String(data)).split('\r\n');
        rest = parts.pop() ?? '';
        parts.forEach(lines.push);
      });
    const say = (...said: readonly string[]): void => void control.write(said.map((each) => `${each}\r\n`).join(''));
    const door = async (): Promise<{ data: Promise<Socket> }> => {
      const open = createServer({ allowHalfOpen: true });
      doors.push(open);
      const data = new Promise<Socket>((resolve) => {
        open.once('connection', (socket) => resolve(socket.on('error', () => undefined)));
      });
      say(`229 (|||${String(await listening(open))}|)`);
      return { data };
    };
    played = script({ line: () => lines.next(), say, door, control });
  });
  const url = new URL(`ftp://127.0.0.1:${String(await listening(server))}`);
  const records = new RecordQueue<DriverRecord>();
  const way = {
    kind: 'pipe',
    siblingSecret: '',
    framing: undefined,
    protocols: undefined,
    headers: [],
    omit: [],
  } as const;
  const signal = new AbortController().signal;
  const { driver, result } = openFtp({ ...way, url, ticket: TICKET, signal, onRecord: records.push });
  await look({ driver, result: await result, records });
  driver.cut();
  await played;
  for (const each of [server, ...doors]) each.close();
}

/** The script until the client waits for its first message. */
async function login({ line, say }: Script): Promise<void> {
  say('220-one', '220 porthouse');
  t.equal(await line(), 'USER porthouse');
  t.equal(await line(), `PASS ${TICKET}`);
  say('331 ticket', '230 sid=s_x room=harbour epoch=1');
  t.equal(await line(), 'EPSV');
  t.equal(await line(), 'RETR wait');
}

async function contentOf(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

void t.test('a driver logs in, waits for messages, and counts one when its 226 has come', async (t) => {
  const script = async (each: Script): Promise<void> => {
    await login(each);
    const { data } = await each.door();
    (await data).end('ahoy');
    each.say('150 epoch=1 n=1 kind=text (4 bytes)', '226 epoch=1 n=1 kind=text');
    t.equal(await each.line(), 'EPSV');
    t.equal(await each.line(), 'RETR wait');
    const second = await each.door();
    (await second.data).end('\u00ff');
    each.say('150 epoch=1 n=3 kind=binary (3 bytes)', '226 epoch=1 n=3 kind=binary');
    await each.line();
    each.say('421 kicked');
    each.control.end();
  };
  await talk(script, async ({ result, records }) => {
    t.equal(result.type, 'opened');
    t.match(await records.next(), { type: 'message', kind: 'text', payload: Buffer.from('ahoy') });
    t.match(await records.next(), { type: 'violation', what: 'download_out_of_turn' });
    t.match(await records.next(), { type: 'violation', what: 'download_of_another_length' });
    t.match(await records.next(), { type: 'message', kind: 'binary' });
    t.match(await records.next(), { type: 'close', code: 421, reason: 'kicked' });
    t.match(await records.next(), { type: 'eof' });
  });
});

void t.test('who sends breaks off what waits, as often as it takes, and is told what became of it', async (t) => {
  const script = async (each: Script): Promise<void> => {
    await login(each);
    await each.door();
    t.equal(await each.line(), 'ABOR');
    each.say('226 nothing to break off'); // the transfer has not begun yet
    t.equal(await each.line(), 'ABOR');
    each.say('426 truncated', '226 ABOR');
    t.equal(await each.line(), 'TYPE I');
    each.say('200 image');
    t.equal(await each.line(), 'EPSV');
    t.equal(await each.line(), 'STOR message');
    const { data } = await each.door();
    each.say('150 epoch=1 n=1');
    t.equal(await contentOf(await data), 'ahoy');
    each.say('226 epoch=1 n=1 id=m1 members=2');
    t.equal(await each.line(), 'EPSV');
    t.equal(await each.line(), 'STOR message');
    const second = await each.door();
    each.say('150 epoch=1 n=2');
    await contentOf(await second.data);
    each.say('552 message_too_large epoch=1 n=1 limit=4');
    t.equal(await each.line(), 'QUIT');
    each.say('221 closed_by_peer');
    each.control.end();
  };
  await talk(script, async ({ driver, records }) => {
    driver.send({ kind: 'binary', payload: Buffer.from('ahoy') });
    driver.send({ kind: 'binary', payload: Buffer.from('too long') });
    driver.close();
    t.notOk(driver.send({ kind: 'text', payload: Buffer.from('late') }), 'nothing is sent behind a close');
    t.ok(await driver.written());
    t.match(await records.next(), { type: 'receipt', code: 226, facts: { epoch: 1, n: 1, id: 'm1', members: 2 } });
    t.match(await records.next(), { type: 'violation', what: 'receipt_for_another_message' });
    t.match(await records.next(), { type: 'receipt', code: 552, facts: { error: 'message_too_large', limit: 4 } });
    t.match(await records.next(), { type: 'close', code: 221 });
  });
});

void t.test('a ticket that is not good is a refusal, and an empty answer to a wait is a violation', async (t) => {
  const refused = async ({ line, say }: Script): Promise<void> => {
    say('220 porthouse');
    await line();
    await line();
    say('331 ticket', '530 ticket_invalid');
  };
  await talk(refused, async ({ result }) => {
    t.match(result, { type: 'refused', status: 530, body: Buffer.from('ticket_invalid') });
    await Promise.resolve();
  });
  const hasty = async (each: Script): Promise<void> => {
    await login(each);
    await each.door();
    each.say('450 empty');
  };
  await talk(hasty, async ({ records }) => {
    t.match(await records.next(), { type: 'violation', what: 'did_not_wait' });
  });
});
