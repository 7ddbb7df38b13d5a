/** More edits than this share of a name make it another name. */
const MAX_EDITED = 0.4;

/**
 * The names that somebody may have meant by an unknown one: those that it is a part of (`fence` for
 * `calls/fence.params`, or a path of the file), else the ones that differ by the fewest edits. At most three.
 */
export function nearest(wrong: string, names: readonly string[]): readonly string[] {
  const asked = wrong.replace(/^.*schemas\//, '').replace(/\.json$/, '');
  const parts = names.filter((name) => `/${name}.`.includes(`/${asked}.`));
  if (parts.length > 0) return parts.slice(0, 3);
  const rated = names.map((name) => ({
    name,
    edits: Math.min(distance(asked, name), distance(asked, name.replace(/^.*\//, ''))),
  }));
  const fewest = Math.min(...rated.map(({ edits }) => edits), asked.length * MAX_EDITED);
  return rated
    .filter(({ edits }) => edits <= fewest)
    .map(({ name }) => name)
    .slice(0, 3);
}

/** Levenshtein distance: insertions, deletions and replacements that turn one string into the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_unused, at) => at);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
