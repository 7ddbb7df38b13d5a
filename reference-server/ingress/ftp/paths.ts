/** What a path names: the root, a room, or something in a room. */
export interface Place {
  readonly room: string | null;
  readonly name: string | null;
}

const ROOT: Place = { room: null, name: null };
const MOST_NAME_BYTES = 255;

const ROOM = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** Where a path leads from a room, or from the root; null where nothing can be. */
export function placeOf(path: string, room: string | null): Place | null {
  const steps = path.startsWith('/') || room === null ? [] : [room];
  for (const step of path.split('/')) {
    if (step === '..') steps.pop();
    else if (step !== '' && step !== '.') steps.push(step);
  }
  const [first, name = null, ...deeper] = steps;
  if (first === undefined) return ROOT;
  if (deeper.length > 0 || !ROOM.test(first) || (name !== null && Buffer.byteLength(name) > MOST_NAME_BYTES))
    return null;
  return { room: first, name };
}

/** A place as PWD and MLST write it. */
export function pathOf({ room, name }: Place): string {
  return name === null ? `/${room ?? ''}` : `/${room ?? ''}/${name}`;
}
