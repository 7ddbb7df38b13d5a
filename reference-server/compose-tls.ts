import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ConfigError, type TlsFiles } from './config/config.js';
import { secureSockets } from './listeners/tls.js';
import type { SecureSockets } from './ports/tls.js';

/** Certificate and key, in PEM. */
export interface Identity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Reads the files that the settings name; throws a ConfigError where they are of no use. */
export function identityOf(files: TlsFiles | null): Identity | null {
  if (!files) return null;
  const identity = { cert: read('certFile', files.certFile), key: read('keyFile', files.keyFile) };
  try {
    createSecureContext(identity);
  } catch (error) {
    throw new ConfigError(`tls: certificate and key are of no use: ${(error as Error).message}`);
  }
  return identity;
}

function read(name: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ConfigError(`tls/${name}: ${(error as Error).message}`);
  }
}

/** TLS for connections of any transport. */
export function tlsOf(identity: Identity | null): SecureSockets | null {
  return identity && secureSockets(createSecureContext(identity));
}
