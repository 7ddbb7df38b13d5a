// A room as lines, by a program that has nothing but TCP: what comes in is sent, what others send comes out.
// node examples/lines.mjs tcp://127.0.0.1:8791 [room] [token]
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const [address = 'tcp://127.0.0.1:8791', room = 'lobby', token] = process.argv.slice(2);
const { hostname: host, port } = new URL(address);

/** A connection that has said what it is. */
function dial(preamble) {
  const socket = connect({ host, port: Number(port), allowHalfOpen: true });
  socket.on('error', ({ message }) => fail(message));
  socket.write(`${preamble}\n`);
  return socket;
}

function fail(why) {
  console.error(why);
  process.exit(1);
}

const sibling = dial('PH1-SIBLING');
const params = { room, transport: 'tcp', framing: 'line', ...(token && { token }) };
sibling.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'session.create', params })}\n`);
for await (const line of createInterface({ input: sibling })) {
  const { id, result, error } = JSON.parse(line);
  if (id !== 1) continue; // the hello
  if (error) fail(error.message);
  sibling.end();
  const pipe = dial(`PH1 ${result.pipeTicket} line`);
  pipe.pipe(process.stdout);
  process.stdin.pipe(pipe); // the end of the input ends one direction: what others send still comes
  break;
}
