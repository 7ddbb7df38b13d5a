import type { Opening, Way } from '../driver.js';
import { onAbort } from '../connect.js';
import type { OpenResult } from '../websocket/opening.js';
import { FtpDriver } from './driver.js';

/** Opens a pipe over FTP: a control connection that logs in with the ticket, and data connections as they are needed. */
export function openFtp({ url, ticket, signal, onRecord }: Way): Opening {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const driver = new FtpDriver({ host, port: Number(url.port || 21), ticket, onRecord });
  const result = new Promise<OpenResult>((resolve, reject) => {
    const stopListening = onAbort(signal, (reason) => {
      driver.cut();
      reject(reason);
    });
    void driver.open().then((opened) => {
      stopListening();
      resolve(opened);
    });
  });
  return { driver, protocols: [], result };
}
