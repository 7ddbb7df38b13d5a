import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Page, chromium } from 'playwright-core';
import t, { type Test } from 'tap';
import { packageRoot } from '../support/package-root.js';
import { FtpWatcher, Harbour, Stranger, curl } from './testing/outside.js';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'];
const READ_ONLY = { anonymous: { send: false, receive: true } };
/** What curl says of an upload that was answered by another code than 226. */
const EXIT_NOT_OK = 18;
const FILE = join(packageRoot(), 'LICENSE');

/** Programs as people have them. Where one is missing the test is skipped by name; where CI is true it fails. */
const programs = ['curl', 'nc', CHROMIUM];
const missing = programs.filter((each) => (each === CHROMIUM ? !existsSync(each) : spawnSync(each, ['-h']).error));
const skip = missing.length === 0 || process.env.CI === 'true' ? {} : { skip: `not installed: ${missing.join(', ')}` };

/** Somebody without a token who looks at a room with the console of the server, in a browser. */
async function browsing(t: Test, { url }: Harbour, room: string): Promise<Page> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  t.teardown(() => browser.close());
  const page = await browser.newPage();
  await page.goto(url);
  await page.fill('#room', room);
  await page.click('#open');
  await page.waitForSelector('.command:has-text("pipe.opened")');
  return page;
}

const received = (page: Page): Promise<string[]> => page.locator('.item.received').allInnerTexts();

void t.test('strangers watch what an account says by whatever they have, and cannot write', skip, async (t) => {
  const harbour = await Harbour.open(t);
  const owner = await harbour.owner('notices', READ_ONLY, 'line');
  const page = await browsing(t, harbour, 'notices');
  const stranger = await Stranger.enter(harbour, 'notices', 'line');
  const first = await FtpWatcher.enter(t, harbour.ftp('notices/wait'));

  owner.say('low tide at six');
  t.equal(await stranger.pipe.line(), 'low tide at six');
  t.equal(await first.got, 'low tide at six');
  await page.waitForSelector('.received:has-text("low tide at six")');

  const second = await FtpWatcher.enter(t, harbour.ftp('notices/wait'));
  await t.test('in a browser the sibling says so', async (t) => {
    await page.fill('#message', 'from a browser');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.command:has-text("pipe.refused at 1")');
    t.match(await page.locator('.command:has-text("pipe.refused")').innerText(), /forbidden/);
  });

  await t.test('over TCP the sibling says so, and of the room nothing can be changed', async (t) => {
    stranger.pipe.say('from netcat');
    t.match(await stranger.event('pipe.refused'), { params: { from: 1, to: 1, error: { name: 'forbidden' } } });
    const open = { spec: { anonymous: { send: true, receive: true } } };
    t.equal(await stranger.refusal('room.update', open), 'unauthenticated');
    t.equal(await stranger.refusal('room.close', {}), 'unauthenticated');
  });

  await t.test('by FTP a reply says so', async (t) => {
    const { code, err } = await curl('-v', '-T', FILE, harbour.ftp('notices/x'));
    t.equal(code, EXIT_NOT_OK);
    t.match(err, /^< 550 forbidden epoch=1 n=1\r?$/m);
  });

  await t.test('by a form, and where sessions are asked for, a status says so', async (t) => {
    const status = ['-w', ' %{http_code}'];
    t.match((await curl(...status, harbour.form('notices'))).out, /"name":"forbidden".* 403$/);
    t.match((await curl(...status, '-d', 'message=form', harbour.form('notices'))).out, /"ticket_invalid".* 401$/);
    for (const transport of ['websocket', 'tcp', 'udp', 'ftp', 'form']) {
      const { out } = await harbour.asks({ room: 'notices', transport, scopes: ['send'] });
      t.match(out, /"name":"forbidden".* 403$/, transport);
    }
    const { out } = await harbour.asks({ room: 'mine', transport: 'tcp', create: {} });
    t.match(out, /"name":"unauthenticated".* 401$/, 'nor can a stranger make a room');
  });

  const clerk = ['-H', 'Authorization: Bearer dev.clerk', '-d', 'message=high tide at noon'];
  const { out } = await curl(...clerk, harbour.form('notices'));
  t.match(JSON.parse(out), { messages: [{ members: 4 }] }, 'owner, browser, netcat and FTP');
  t.equal(await owner.line(), 'high tide at noon', 'it is all that the owner has heard');
  t.equal(await stranger.pipe.line(), 'high tide at noon');
  t.equal(await second.got, 'high tide at noon');
  await page.waitForSelector('.received:has-text("high tide at noon")');
  t.match(await received(page), [/low tide at six/, /high tide at noon/], 'and nothing else');
});

void t.test('strangers hear a stream by FTP and over TCP, and cannot write into it', skip, async (t) => {
  const harbour = await Harbour.open(t);
  const owner = await harbour.owner('radio', { ...READ_ONLY, boundaries: 'ignored' }, 'raw');
  const netcat = await Stranger.enter(harbour, 'radio', 'raw');
  const watcher = await FtpWatcher.enter(t, harbour.ftp('radio/stream'));
  const { code, err } = await curl('-v', '-T', FILE, '--append', harbour.ftp('radio/x'));
  t.equal(code, EXIT_NOT_OK);
  t.match(err, /^< 550 forbidden/m);
  netcat.pipe.say('netcat');
  t.match(await netcat.event('pipe.refused'), { params: { from: 1, to: 7, error: { name: 'forbidden' } } });
  owner.say('one two');
  t.equal(await netcat.pipe.line(), 'one two');
  harbour.end();
  t.equal(await watcher.got, 'one two\n', 'and nothing else');
});
