import { Unusable } from '../json.js';
import { loadSchemas, type WireSchema } from '../schemas/load.js';
import { checkAsyncApi } from './asyncapi.js';
import { checkAsyncApiLinks } from './asyncapi-links.js';
import { checkChapters } from './chapters.js';
import { checkExamples, type Against } from './examples.js';
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
    const { ajv, problems } = checkSchemas(schemas);
    const registries = checkRegistries(root, ajv);
    const codes = registries.length > 0 ? undefined : errorCodes(root);
    const texts = ajv === undefined || problems.length > 0 ? [] : checkTexts(root, schemas, { ajv, codes });
    return [...problems, ...checkLimits(schemas), ...texts, ...registries, ...checkAsyncApiLinks(root, schemas)];
  } catch (error) {
    if (error instanceof Unusable) return [error.message];
    throw error;
  }
}

function checkTexts(root: string, schemas: readonly WireSchema[], against: Against): readonly string[] {
  return [...checkExamples(root, schemas, against), ...checkChapters(root, against)];
}
