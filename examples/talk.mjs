// Talk in a room: what you type goes through the pipe, what the platform says comes by the sibling.
// node --experimental-websocket examples/talk.mjs [http://127.0.0.1:8790] [room] [token]
import { createInterface } from 'node:readline';

const [base = 'http://127.0.0.1:8790', room = 'lobby', token] = process.argv.slice(2);
const json = async (response) => (response.ok ? response.json() : Promise.reject(new Error(await response.text())));
const socketUrl = (path, from) => new URL(path, from).href.replace(/^http/, 'ws');
const base64url = (bytes) => Buffer.from(bytes).toString('base64url');
const discovery = await fetch(new URL('/.well-known/porthouse', base)).then(json);
const sessions = new URL(discovery.endpoints.sessions, base);
const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
const request = { method: 'POST', headers, body: JSON.stringify({ room, transport: 'websocket' }) };
const grant = await fetch(sessions, request).then(json);

async function bindCall(nonce) {
  const secret = Buffer.from(grant.siblingSecret, 'base64url');
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const [sid, channel, cnonce] = [grant.sid, 'command', base64url(crypto.getRandomValues(new Uint8Array(16)))];
  const proof = Buffer.from(['porthouse-bind-v1', sid, channel, nonce, cnonce].join('\n'));
  const mac = base64url(await crypto.subtle.sign('HMAC', key, proof));
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'sibling.bind', params: { sid, channel, cnonce, mac } });
}

const sibling = new WebSocket(socketUrl(grant.endpoints.sibling.websocket, sessions), 'porthouse.sibling.v1');
sibling.onmessage = async ({ data }) => {
  const message = JSON.parse(data);
  if (message.method === 'sibling.hello') sibling.send(await bindCall(message.params.nonce));
  else console.log('sibling:', message.method ?? 'bound', JSON.stringify(message.params ?? message.error ?? ''));
  if (message.id === 1 && message.result) openPipe();
};
function openPipe() {
  const protocols = ['porthouse.pipe.v1', `porthouse.ticket.${grant.pipeTicket}`];
  const pipe = new WebSocket(socketUrl(grant.endpoints.pipe, sessions), protocols);
  pipe.onmessage = ({ data }) => console.log(typeof data === 'string' ? data : `(${data.size} bytes)`);
  pipe.onclose = () => process.exit();
  pipe.onopen = async () => {
    for await (const line of createInterface({ input: process.stdin })) pipe.send(line);
    pipe.close();
  };
}
