import { mkdirSync, readdirSync } from 'node:fs';
import { ClassicLevel } from 'classic-level';
import type { Store, StoredRoom } from '../../ports/store.js';
import { StoreError } from '../error.js';
import { decodeRoom, encodeRoom } from '../record.js';
import { Contents } from './contents.js';
import { GroupCommit } from './group-commit.js';

const ROOM = 'room/';
/** The key of the contents; it sorts before all rooms. */
const CONTENTS = 'contents';
const EMPTY = new Contents().toString();

/** A change of one room; without a text the room is forgotten. */
interface Change {
  readonly key: string;
  readonly text?: string;
}

/** Rooms in a LevelDB folder: one record for each, and one that tells what all of them add up to. */
class LevelStore implements Store {
  readonly kept: readonly StoredRoom[];
  readonly #level: ClassicLevel;
  readonly #contents: Contents;
  readonly #changes = new GroupCommit<Change>((changes) => this.#write(changes));

  constructor(level: ClassicLevel, found: { readonly rooms: readonly StoredRoom[]; readonly contents: Contents }) {
    this.#level = level;
    this.kept = found.rooms;
    this.#contents = found.contents;
  }

  put(room: StoredRoom): Promise<void> {
    return this.#changes.add({ key: ROOM + room.name, text: encodeRoom(room) });
  }

  remove(name: string): Promise<void> {
    return this.#changes.add({ key: ROOM + name });
  }

  async close(): Promise<void> {
    await this.#changes.settled();
    await this.#level.close();
  }

  /** All or none, and on the disk when it resolves. */
  #write(changes: readonly Change[]): Promise<void> {
    for (const { key, text } of changes) {
      if (text === undefined) this.#contents.remove(key);
      else this.#contents.set(key, text);
    }
    const operations = changes.map(({ key, text }) =>
      text === undefined ? ({ type: 'del', key } as const) : ({ type: 'put', key, value: text } as const),
    );
    const contents = { type: 'put', key: CONTENTS, value: this.#contents.toString() } as const;
    return this.#level.batch([...operations, contents], { sync: true });
  }
}

/**
 * Opens the store in a folder, which is made where there is none.
 *
 * @throws StoreError where another process has it, it is damaged, or another version wrote it.
 */
export async function openLevelStore(folder: string): Promise<Store> {
  mkdirSync(folder, { recursive: true, mode: 0o700 }); // names of rooms and accounts are not for everybody
  // Without CURRENT the database would begin anew beside what it holds; data without it is damage, not a first start.
  const createIfMissing = !readdirSync(folder).some((file) => /\.(?:ldb|sst|log)$/.test(file));
  const level = new ClassicLevel(folder, { createIfMissing });
  try {
    await level.open();
    return new LevelStore(level, await contentsOf(level));
  } catch (error) {
    await level.close().catch(() => undefined);
    throw new StoreError(`${folder}: ${reason(error)}`);
  }
}

async function contentsOf(level: ClassicLevel): Promise<{ rooms: StoredRoom[]; contents: Contents }> {
  const contents = new Contents();
  const rooms: StoredRoom[] = [];
  let told = EMPTY;
  for await (const [key, text] of level.iterator()) {
    if (key === CONTENTS) told = text;
    else if (!key.startsWith(ROOM))
      throw new StoreError(`holds ${JSON.stringify(key)}, which this server does not know`);
    else {
      rooms.push(decodeRoom(key.slice(ROOM.length), text));
      contents.set(key, text);
    }
  }
  if (told === contents.toString()) return { rooms, contents };
  throw new StoreError(`is damaged: it tells of ${told} and holds ${contents.toString()}`);
}

/** The cause in words for the operator; LevelDB's own are on the inner error. */
function reason(error: unknown): string {
  if (error instanceof StoreError) return error.message;
  const { message, cause } = error as Error;
  const { code, message: inner } = (cause ?? {}) as { code?: string; message?: string };
  if (code === 'LEVEL_LOCKED') return 'another process has this store open';
  return `cannot be opened: ${inner ?? message}`;
}
