import { existsSync } from 'node:fs';
import { type Browser, type Page, chromium } from 'playwright-core';
import t, { type Test } from 'tap';
import { startServer } from '../compose.js';
import { loadConfig } from '../config/config.js';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'];
const SCREENS = {
  desktop: { viewport: { width: 1200, height: 860 } },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
} as const;

/** Without the program a test is skipped by name; where everything has to be there it fails instead. */
const skip = existsSync(CHROMIUM) || process.env.CI === 'true' ? {} : { skip: `${CHROMIUM} is not installed` };

interface Visit {
  readonly page: Page;
  /** What the browser complained of: a script that fails, something that the policy forbids. */
  readonly complaints: readonly string[];
}

async function visit(t: Test, screen: keyof typeof SCREENS): Promise<Visit> {
  const server = await startServer({ ...loadConfig(undefined, { port: 0 }), logLevel: 'silent' });
  const browser: Browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  t.teardown(async () => {
    await browser.close();
    await server.drain();
  });
  const page = await browser.newPage(SCREENS[screen]);
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(server.url);
  return { page, complaints };
}

async function enter(page: Page, token: string): Promise<void> {
  await page.fill('#token', token);
  await page.click('#open');
  await page.waitForSelector('.command:has-text("pipe.opened")');
}

async function send(page: Page, text: string): Promise<void> {
  await page.fill('#message', text);
  await page.keyboard.press('Enter');
}

const shown = (page: Page, lane: string): Promise<string[]> => page.locator(`.item.${lane}`).allInnerTexts();

for (const screen of ['desktop', 'phone'] as const) {
  void t.test(`the console talks, switches, sleeps and wakes on a ${screen}`, skip, async (t) => {
    const { page, complaints } = await visit(t, screen);
    await enter(page, 'dev.alice');
    await page.click('#companion');
    await page.waitForSelector('#members li:nth-child(2)');
    await send(page, 'ahoy');
    await page.waitForSelector('.received:has-text("ahoy")');
    t.match(await shown(page, 'sent'), [/↑ 1\s+ahoy/]);
    t.equal(await page.locator('.sent.spoken-of').count(), 1, 'the receipt is joined to its message');

    await page.check('#sending input[value=json]');
    await page.waitForSelector('.sent.boundary:has-text("from 2: json")');
    await send(page, 'no JSON by itself');
    await page.waitForSelector('.command:has-text("switch.done at 2")');
    t.match(await shown(page, 'sent'), [/ahoy/, /from 2: json/, /↑ 2\s+"no JSON by itself"/]);

    await page.click('#sleep');
    await page.waitForSelector('.note:has-text("asleep")');
    await send(page, 'while it sleeps');
    await page.waitForSelector('.received:has-text("while it sleeps")');
    await page.click('#sleep');
    await page.waitForSelector('.note:has-text("awake") >> nth=1');
    t.match(await page.innerText('#facts'), /awake/);
    await page.click('#fence');
    await page.waitForSelector('.call:has-text("3 of 3 routed")');

    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
    t.ok(overflow <= 0, 'nothing sticks out at the side');
    t.same(complaints, [], 'and the browser has nothing to complain of');
  });
}

void t.test('what somebody sends is text on the page, whatever it looks like', skip, async (t) => {
  const { page, complaints } = await visit(t, 'desktop');
  await enter(page, 'dev.alice');
  await page.click('#companion');
  await page.waitForSelector('#members li:nth-child(2)');
  await send(page, '<img src=x onerror=alert(1)>');
  await page.waitForSelector('.received');
  t.match(await shown(page, 'sent'), [/<img src=x onerror=alert\(1\)>/]);
  t.equal(await page.locator('.items img').count(), 0);
  t.same(complaints, []);
});

void t.test('a refusal is told to whoever caused it, in the words of the server', skip, async (t) => {
  const { page } = await visit(t, 'desktop');
  await page.fill('#token', 'no token at all');
  await page.click('#open');
  await page.waitForSelector('#status:not([hidden])');
  t.match(await page.innerText('#status'), /token/i);
  t.ok(await page.isVisible('#enter'), 'and the form is there to try again');
});
