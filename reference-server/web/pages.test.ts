import t from 'tap';
import { loadConfig } from '../config/config.js';
import { startServer } from '../compose.js';

void t.test('the console is a page that takes nothing from elsewhere', async (t) => {
  const server = await startServer({ ...loadConfig(undefined, { port: 0 }), logLevel: 'silent' });
  t.teardown(() => server.drain());
  const home = await fetch(`${server.url}/`);
  t.equal(home.status, 200);
  t.equal(home.headers.get('content-type'), 'text/html; charset=utf-8');
  t.match(home.headers.get('content-security-policy'), /^default-src 'none'; script-src 'self'; style-src 'self'/);
  t.equal(home.headers.get('x-content-type-options'), 'nosniff');
  const html = await home.text();
  t.notMatch(
    html,
    /<script(?![^>]* src="\/console\/)|<style| style=| on[a-z]+=|https?:/,
    'nothing inline, nothing foreign',
  );
  const linked = [...html.matchAll(/(?:src|href)="(\/console\/[^"]+)"/g)].map(([, path]) => path ?? '');
  t.ok(linked.length > 2);
  const imported = new Set<string>();
  for (const path of new Set(linked)) {
    const file = await fetch(`${server.url}${path}`);
    t.equal(file.status, 200, path);
    for (const [, name] of (await file.text()).matchAll(/from '\.\/([^']+)'/g)) imported.add(`/console/${name ?? ''}`);
  }
  for (const path of imported) t.equal((await fetch(`${server.url}${path}`)).status, 200, path);
});

void t.test('a page is asked for like any other thing over HTTP', async (t) => {
  const server = await startServer({ ...loadConfig(undefined, { port: 0 }), logLevel: 'silent' });
  t.teardown(() => server.drain());
  const first = await fetch(`${server.url}/console/console.css`);
  const again = await fetch(`${server.url}/console/console.css`, {
    headers: { 'if-none-match': first.headers.get('etag') ?? '' },
  });
  t.equal(again.status, 304);
  const head = await fetch(`${server.url}/`, { method: 'HEAD' });
  t.equal(head.status, 200);
  t.equal(await head.text(), '');
  const post = await fetch(`${server.url}/`, { method: 'POST' });
  t.equal(post.status, 405);
  t.equal(post.headers.get('allow'), 'GET, HEAD');
  for (const path of ['/console/', '/console/console.html', '/console/../package.json', '/console/console.d.ts']) {
    t.equal((await fetch(`${server.url}${path}`)).status, 404, path);
  }
});
