import { Client, grantFor } from './client.js';

const LINGER_MS = 5000;
const LONGEST_QUOTE = 40;

/** A second client of the page, in the same room, that answers whatever it receives. */
export async function startCompanion(room: string, token: string): Promise<Client> {
  const limits = { sessionLingerMs: LINGER_MS };
  const grant = await grantFor({ room, transport: 'websocket', limits }, token);
  const companion: Client = new Client(grant, {
    onMessage: ({ payload, n }) => {
      if (!companion.piping) return;
      const said = typeof payload === 'string' ? payload.slice(0, LONGEST_QUOTE) : `${String(payload.length)} bytes`;
      companion.send(JSON.stringify({ answerTo: n, said }));
    },
    onEvent: () => undefined,
    onPipe: () => undefined,
    onSibling: () => undefined,
  });
  await companion.wake();
  await companion.openPipe();
  await companion.switchSending('json'); // so that whoever takes nothing but JSON gets its answers
  return companion;
}
