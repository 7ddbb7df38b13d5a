import { join } from 'node:path';
import type { Store } from './ports/store.js';

/** Takes a change that is under way; tells of the first that failed, after which none succeeds (ports/store.ts). */
function watched(store: Store, onFailure: (error: unknown) => void): Store {
  let failed = false;
  const watch = async (change: Promise<void>): Promise<void> => {
    try {
      await change;
    } catch (error) {
      if (!failed) onFailure(error);
      failed = true;
      throw error;
    }
  };
  return {
    kept: store.kept,
    put: (room) => watch(store.put(room)),
    remove: (name) => watch(store.remove(name)),
    close: () => store.close(),
  };
}

/**
 * Opens the store of persistent rooms in the folder of the server's data. The database is loaded by those only who
 * have data to keep.
 *
 * @throws StoreError where it cannot be used.
 */
export async function openStore(dataDir: string, onFailure: (error: unknown) => void): Promise<Store> {
  const { openLevelStore } = await import('./store/level/store.js');
  return watched(await openLevelStore(join(dataDir, 'rooms')), onFailure);
}
