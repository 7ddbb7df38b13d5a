import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A file to be written. */
export interface Output {
  /** Relative to the folder that is written to. */
  readonly path: string;
  readonly text: string;
}

/**
 * Lists the files below a folder whose name ends in `suffix`, as paths relative to it with `/`, sorted by code unit
 * so that every machine sees the same order. A missing folder is an empty one.
 */
export function filesBelow(folder: string, suffix: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(suffix))
    .map((entry) => relativePath(folder, join(entry.parentPath, entry.name)))
    .sort(byCodeUnit);
}

/** Compares two strings the same way in every locale. */
export function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function relativePath(folder: string, file: string): string {
  return file.slice(folder.length + 1).replaceAll('\\', '/');
}
