/** Whether `text` fits `glob`: `*` stands for any characters, `?` for one; everything else for itself. */
export function matchesGlob(glob: string, text: string): boolean {
  const escaped = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${escaped}$`, 'su').test(text);
}
