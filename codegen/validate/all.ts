import { Unusable } from '../json.js';
import { loadSchemas } from '../schemas/load.js';
import { checkAsyncApi } from './asyncapi.js';
import { checkAsyncApiLinks } from './asyncapi-links.js';
import { checkChapters } from './chapters.js';
import { checkExamples } from './examples.js';
import { checkLimits } from './limits.js';
import { errorCodes } from './registered.js';
import { checkRegistries } from './registries.js';
import { checkSchemas } from './schemas.js';

/** Checks everything of `checkWire`, and the AsyncAPI document. */
export async function validateAll(root: string): Promise<readonly string[]> {
  return [...checkWire(root), ...(await checkAsyncApi(root))];
}

/** Checks schemas, examples, registries, the worked examples of the chapters, and what asyncapi.yaml points to. */
export function checkWire(root: string): readonly string[] {
  try {
    const schemas = loadSchemas(root);
    const registries = checkRegistries(root);
    const codes = registries.length > 0 ? undefined : errorCodes(root);
    const broken = checkSchemas(schemas);
    const compiled =
      broken.length > 0 ? [] : [...checkExamples(root, schemas, codes), ...checkChapters(root, schemas, codes)];
    return [...broken, ...checkLimits(schemas), ...compiled, ...registries, ...checkAsyncApiLinks(root, schemas)];
  } catch (error) {
    if (error instanceof Unusable) return [error.message];
    throw error;
  }
}
