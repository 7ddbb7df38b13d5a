import { join } from 'node:path';
import { packageRoot } from '../../support/package-root.js';
import type { OwnedServer } from '../owned-server.js';
import { startReferenceServer } from '../target.js';

/** A server to be held against the kit. */
export interface Server {
  readonly url: URL;
  readonly stop: () => Promise<void>;
  /** What went wrong inside, where that can be known. */
  readonly faults?: () => readonly string[];
  /** The process behind it, where cases may end it and start it again. */
  readonly owned?: OwnedServer;
}

const REGISTER = ['dist', 'reference-server', 'mutants', 'register.js'];

/**
 * Starts the reference server in a process of its own, with one patch applied where `patch` names it, at every start
 * anew.
 *
 * @param tls - whether it has a certificate.
 *
 * @throws If the process ends before it printed its address.
 */
export async function startReference(patch?: string, tls = false): Promise<Server> {
  const register = join(packageRoot(import.meta.url), ...REGISTER);
  const owned = await startReferenceServer(
    patch === undefined
      ? { hooks: true, tls }
      : { hooks: true, tls, nodeArguments: ['--import', register], environment: { PORTHOUSE_MUTANT: patch } },
  );
  return { url: owned.url, owned, stop: () => owned.stop('kill') };
}
