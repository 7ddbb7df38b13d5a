import { test } from 'tap';
import { endpointOf, targetFrom } from './endpoints.js';

test('where a socket of a member is opened', (t) => {
  const elsewhere = { sessions: 'http://grants.example/v1/sessions', sibling: { tcp: 'tcp://lines.example:8791' } };
  const target = targetFrom(new URL('http://door.example/.well-known/porthouse'), { endpoints: elsewhere });
  const grant = { transport: 'websocket', endpoints: { pipe: '/pipe', sibling: { websocket: '/sibling' } } };
  const over = (overSibling: boolean, kind: 'pipe' | 'sibling', transport = 'websocket'): string =>
    endpointOf(target, { grant, overSibling, kind, transport }).href;

  t.equal(over(false, 'pipe'), 'http://grants.example/pipe', 'relative to where the request was sent');
  t.equal(over(true, 'pipe'), 'http://door.example/pipe', 'relative to the discovery document, over a sibling');
  t.equal(over(true, 'sibling'), 'http://door.example/sibling');
  t.equal(over(false, 'sibling', 'tcp'), 'tcp://lines.example:8791', 'what the grant does not name, the server does');
  t.throws(() => over(false, 'pipe', 'udp'), /no address for a pipe over udp/);
  t.end();
});
