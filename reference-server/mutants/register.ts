import { readFileSync } from 'node:fs';
import { register } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../support/package-root.js';
import { applyPatch, loadPatch } from './patch.js';

/** Name of the patch to apply; read here and nowhere in the server. */
const VARIABLE = 'PORTHOUSE_MUTANT';

const patch = loadPatch(process.env[VARIABLE] ?? '');
const file = join(packageRoot(import.meta.url), 'dist', patch.file);
// Patched here, so that the loader's thread has nothing to load for itself.
const source = applyPatch(patch, readFileSync(file, 'utf8'));
register('./hooks.js', import.meta.url, { data: { source, url: pathToFileURL(file).href } });
