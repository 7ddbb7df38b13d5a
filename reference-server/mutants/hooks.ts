import type { LoadHook } from 'node:module';

/** The text of one module that takes the place of its file's. */
export interface Replacement {
  readonly url: string;
  readonly source: string;
}

let chosen: Replacement | undefined;

/** Called by `module.register` on the loader's thread, before any module of the server loads. */
export function initialize(data: Replacement): void {
  chosen = data;
}

/** Hands the one patched module to Node in place of the file's own text (nodejs.org/api/module.html#loadurl-context-nextload). */
export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  return url === chosen?.url ? { ...loaded, source: chosen.source } : loaded;
};
