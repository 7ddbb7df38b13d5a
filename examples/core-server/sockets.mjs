// What pipes and siblings have in common: WebSocket with `ws`, as websocket.md wants it.
import { clearTimeout } from 'node:timers';
import { WebSocket, WebSocketServer } from 'ws';
import { after } from './registry.mjs';

/** How long the client's close frame is waited for (WS-15). */
const CLOSE_MS = 5000;

/** `ws` answers a close frame by its own close(), which is the earliest that can be known of it. */
class Socket extends WebSocket {
  close(code, reason) {
    super.close(code, reason);
    this.emit('closing');
  }
}

/** Sends the 101. What is wrong with the request has been looked for before; longer messages end in 1009. */
export function accept({ req, socket, head }, { subprotocol, maxPayload }, opened) {
  req.headers['sec-websocket-protocol'] = subprotocol;
  const wss = new WebSocketServer({
    ...{ noServer: true, clientTracking: false, WebSocket: Socket, closeTimeout: CLOSE_MS },
    ...{ perMessageDeflate: false, maxPayload, maxFragments: 0, autoPong: false },
  });
  wss.handleUpgrade(req, socket, head, (ws) => {
    answerPings(ws);
    opened(ws);
  });
}

/** One pong at a time, for the latest ping: many pings are no way to make the server queue (WS-11). */
function answerPings(ws) {
  let latest;
  let writing = false;
  const pong = () => {
    writing = latest !== undefined;
    if (!writing) return;
    ws.pong(latest, false, pong);
    latest = undefined;
  };
  ws.on('ping', (data) => {
    latest = data;
    if (!writing) pong();
  });
}

/** Pings after `ms` of silence, and calls `silent` after as long again (WS-22). */
export function keepAlive({ ws, socket }, ms, silent) {
  let pinged = false;
  const timer = after(ms, () => {
    if (pinged) {
      silent();
      after(CLOSE_MS, () => ws.terminate());
      return;
    }
    pinged = true;
    ws.ping();
    timer.refresh();
  });
  socket.on('data', () => {
    pinged = false;
    timer.refresh();
  });
  ws.once('close', () => clearTimeout(timer));
}
