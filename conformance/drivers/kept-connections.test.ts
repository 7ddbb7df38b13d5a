import { test } from 'tap';
import type { HttpResult } from './http.js';
import { request } from './http.js';
import { KeptConnections } from './kept-connections.js';
import { listenRaw } from './testing/raw-peer.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n';

test('connections take one request after the other for as long as the server lets them', async (t) => {
  const kept = new KeptConnections();
  const heads: string[][] = [];
  const peer = await listenRaw((socket) => {
    const own: string[] = [];
    heads.push(own);
    socket.on('data', (chunk: Buffer) => {
      const head = chunk.toString('latin1');
      own.push(head);
      if (head.startsWith('GET /once') && own.length > 1) socket.destroy();
      else if (head.startsWith('GET /mute')) socket.end();
      else socket.write(`${OK}${head.startsWith('GET /last') ? 'connection: Close\r\n' : ''}\r\nx`);
    });
  });
  t.teardown(peer.close);
  const get = (path: string): Promise<HttpResult> =>
    request({ url: `http://127.0.0.1:${String(peer.port)}${path}`, kept });
  const counts = (): number[] => heads.map(({ length }) => length);
  for (const path of ['/a', '/b', '/last', '/c']) t.match(await get(path), { type: 'response', status: 200 });
  t.same(counts(), [3, 1], 'but not behind a response that says close');
  t.notMatch(heads.flat().join(), /connection:/i);
  t.match(await get('/once'), { type: 'response', status: 200 });
  t.same(counts(), [3, 2, 1], 'one that ended meanwhile says nothing of the request');
  t.match(await get('/mute'), { type: 'failed', why: 'eof', error: 'no_response' });
  t.same(counts(), [3, 2, 2, 1], 'a server that does not answer is asked on one of its own, and once');
  t.match(await get('/d'), { type: 'response' });
  kept.end();
  t.match(await get('/e'), { type: 'response' });
  t.match(await get('/f'), { type: 'response' });
  t.same(counts().slice(4), [1, 1, 1], 'nothing is kept after the end');
});
