import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, type Page, chromium } from 'playwright-core';
import t, { type Test } from 'tap';
import type { FormReceipt, FormTicket, Grant } from '../../../generated/types.js';
import { type RunningServer, startServer } from '../../compose.js';
import { loadConfig } from '../../config/config.js';
import { ask, dial } from '../../testing/http.js';
import { opened, pipeHeaders } from '../../testing/stage.js';
import { WebSocketClient } from '../../testing/web-socket.js';

const run = promisify(execFile);
const CHROMIUM = '/usr/bin/chromium';
const CURL = '/usr/bin/curl';
const LOBBY = '/porthouse/v1/rooms/lobby/messages';
/** Where whoever wants to look at the pages finds them. */
const PICTURES = process.env.PORTHOUSE_PICTURES;

/** Without the program a test is skipped by name; where everything has to be there it fails instead. */
const without = (program: string): { skip?: string } =>
  existsSync(program) || process.env.CI === 'true' ? {} : { skip: `${program} is not installed` };

async function serving(t: Test): Promise<{ server: RunningServer; bob: WebSocketClient }> {
  const server = await startServer({ ...loadConfig(undefined, { port: 0 }), logLevel: 'silent' });
  const body = JSON.stringify({ room: 'lobby', transport: 'websocket' });
  const headers = { 'content-type': 'application/json', authorization: 'Bearer dev.bob' };
  const grant = JSON.parse(
    (await ask(server.url, { method: 'POST', path: '/porthouse/v1/sessions', headers, body })).body,
  ) as Grant;
  const path = '/porthouse/v1/pipe';
  const bob = opened(await WebSocketClient.open(dial(server.url), { path, headers: pipeHeaders(grant.pipeTicket) }));
  t.teardown(async () => {
    bob.cut();
    await server.drain();
  });
  return { server, bob };
}

async function heard(bob: WebSocketClient, count: number): Promise<string[]> {
  return (await bob.messages(count)).map(({ opcode, payload }) => `${String(opcode)} ${payload.toString('latin1')}`);
}

void t.test('curl posts text and files, and reads a receipt', without(CURL), async (t) => {
  const { server, bob } = await serving(t);
  const folder = mkdtempSync(join(tmpdir(), 'porthouse-form-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'a file; "odd".bin');
  writeFileSync(file, Buffer.from([0, 255, 13, 10]));
  const url = `${server.url}${LOBBY}`;
  const curl = async (...options: string[]): Promise<string> => (await run(CURL, ['-sS', ...options, url])).stdout;
  const { ticket } = JSON.parse(await curl()) as FormTicket;
  const fields = [
    '-F',
    `ticket=${ticket}`,
    '-F',
    'idempotencyKey=k',
    '-F',
    'message=low tide',
    '-F',
    `message=@"${file.replace(/"/g, '\\"')}"`,
  ];
  const receipt = JSON.parse(await curl(...fields)) as FormReceipt;
  t.match(receipt.messages, [
    { kind: 'text', bytes: 8, members: 1 },
    { kind: 'binary', bytes: 4, members: 1 },
  ]);
  t.same((JSON.parse(await curl(...fields)) as FormReceipt).messages, receipt.messages, 'again');
  await curl('--data-urlencode', `ticket=${ticket}`, '--data-urlencode', 'message=a+b & c');
  await curl('-H', 'Authorization: Bearer dev.alice', '-d', 'message=hello');
  t.same(await heard(bob, 4), ['1 low tide', '2 \u0000\u00ff\r\n', '1 a+b & c', '1 hello']);
  const big = join(folder, 'big');
  writeFileSync(big, Buffer.alloc(20 * 2 ** 20));
  const refused = await curl(
    '-w',
    '%{http_code}',
    '-o',
    '/dev/null',
    '-F',
    `ticket=${ticket}`,
    '-F',
    `message=@${big}`,
  );
  t.equal(refused, '413', 'while it arrives, and the answer is read');
});

async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
}

/** Nothing sticks out, and everything can be hit with a thumb. */
async function fits(t: Test, page: Page): Promise<void> {
  const { scrollWidth, clientWidth } = await page.evaluate<{ scrollWidth: number; clientWidth: number }>(
    '({ scrollWidth: document.documentElement.scrollWidth, clientWidth: document.documentElement.clientWidth })',
  );
  t.ok(scrollWidth <= clientWidth, 'it fits its screen');
}

const LOOKS = [
  { name: 'desktop', viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  { name: 'dark', viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  { name: 'phone', viewport: { width: 360, height: 740 }, colorScheme: 'light' },
] as const;

async function posts(t: Test, browser: Browser, look: (typeof LOOKS)[number]): Promise<void> {
  const { server, bob } = await serving(t);
  const { name, ...options } = look;
  const context = await browser.newContext({ ...options, javaScriptEnabled: false });
  t.teardown(() => context.close());
  const page = await context.newPage();
  await page.goto(`${server.url}/porthouse/v1/rooms`);
  await picture(page, `${name}-rooms`);
  await page.getByRole('link', { name: 'lobby' }).click();
  await picture(page, `${name}-form`);
  await page.getByLabel('Your message').fill('low tide\nat six <b>');
  await page.getByRole('button', { name: 'Send text' }).click();
  await page.getByText('on its way to 1 member').waitFor();
  t.match(page.url(), /\?receipt=[\w-]{22}$/);
  await picture(page, `${name}-receipt`);
  await fits(t, page);
  await page.reload();
  await page
    .getByLabel('A file')
    .setInputFiles({ name: 'f.bin', mimeType: 'text/plain', buffer: Buffer.from([0, 255]) });
  await page.getByRole('button', { name: 'Send file' }).click();
  await page.getByText('File, 2 bytes').waitFor();
  t.same(
    await heard(bob, 2),
    ['1 low tide\r\nat six <b>', '2 \u0000\u00ff'],
    'CR LF as browsers send it, and each once',
  );
  await page.getByLabel('A file').setInputFiles({ name: 'big', mimeType: 'text/plain', buffer: Buffer.alloc(70_000) });
  await page.getByRole('button', { name: 'Send file' }).click();
  await page.getByText('longer than this room takes').first().waitFor();
  await picture(page, `${name}-refused`);
  await fits(t, page);
  await page.getByRole('link', { name: 'Back to lobby' }).click();
  await page.getByRole('button', { name: 'Send text' }).waitFor();
}

void t.test('a browser without script posts and sees receipts', without(CHROMIUM), async (t) => {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
  t.teardown(() => browser.close());
  for (const look of LOOKS) await t.test(look.name, (t) => posts(t, browser, look));
});

void t.test('a page of another origin cannot make a browser post', without(CHROMIUM), async (t) => {
  const { server, bob } = await serving(t);
  const { ticket } = JSON.parse((await ask(server.url, { path: LOBBY })).body) as FormTicket;
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  t.teardown(() => browser.close());
  const page = await browser.newPage();
  await page.setContent(
    `<form method="post" action="${server.url}${LOBBY}"><input name="ticket" value="${ticket}"><input name="message" value="evil"><button>Go</button></form>`,
  );
  await page.getByRole('button').click();
  await page.getByText('page of another site').waitFor();
  await ask(server.url, {
    method: 'POST',
    path: LOBBY,
    headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: 'Bearer dev.a' },
    body: 'message=good',
  });
  t.same(await heard(bob, 1), ['1 good']);
});
