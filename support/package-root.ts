import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Finds the folder that holds Porthouse's own package.json, from source and from dist/ alike.
 *
 * @param from - URL of the module from which to walk upwards.
 * @returns The absolute path of the package root.
 * @throws If no folder above `from` holds a package.json named `porthouse`.
 */
export function packageRoot(from: string = import.meta.url): string {
  let folder = dirname(fileURLToPath(from));
  while (!isRoot(folder)) {
    const above = dirname(folder);
    if (above === folder) throw new Error(`no package.json named porthouse above ${from}`);
    folder = above;
  }
  return folder;
}

function isRoot(folder: string): boolean {
  const file = join(folder, 'package.json');
  if (!existsSync(file)) return false;
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown };
  return manifest.name === 'porthouse';
}
