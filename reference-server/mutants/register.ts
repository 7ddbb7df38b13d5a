import { register } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../support/package-root.js';
import { PatchError, loadPatches } from './patch.js';

/** Name of the patch to apply; read here and nowhere in the server. */
const VARIABLE = 'PORTHOUSE_MUTANT';

const name = process.env[VARIABLE];
const patch = loadPatches().find((each) => each.name === name);
if (patch === undefined) throw new PatchError(`${VARIABLE}: no patch is called ${name ?? '(nothing)'}`);
const url = pathToFileURL(join(packageRoot(import.meta.url), 'dist', patch.file)).href;
register('./hooks.js', import.meta.url, { data: { patch, url } });
