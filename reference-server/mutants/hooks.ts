import type { LoadHook } from 'node:module';
import type { Patch } from './patch.js';
import { applyPatch } from './patch.js';

let chosen: { readonly patch: Patch; readonly url: string } | undefined;

/** Called by `module.register` on the loader's thread, before any module of the server loads. */
export function initialize(data: { readonly patch: Patch; readonly url: string }): void {
  chosen = data;
}

/** Hands the one patched module to Node in place of the file's own text (nodejs.org/api/module.html#loadurl-context-nextload). */
export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  if (chosen === undefined || url !== chosen.url) return loaded;
  const source = applyPatch(chosen.patch, Buffer.from(loaded.source as Uint8Array).toString('utf8'));
  return { ...loaded, source };
};
