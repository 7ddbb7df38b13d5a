import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../support/package-root.js';
import { parseObject } from '../mutants/json.js';
import type { JsonObject } from '../mutants/json.js';
import { allProfiles } from '../register.js';

const folder = join(packageRoot(import.meta.url), 'schemas', 'examples');

/**
 * A valid example of a wire type, such as `http/grant` or `calls/fence.result`: the one called `preferred`, else the
 * first of its folder, else an empty object.
 */
export function exampleOf(type: string, preferred?: string): JsonObject {
  const valid = join(folder, type, 'valid');
  if (!existsSync(valid)) return {};
  const names = readdirSync(valid).sort();
  const name = names.find((each) => each === `${preferred ?? ''}.json`) ?? names[0];
  return name === undefined ? {} : (parseObject(readFileSync(join(valid, name))) ?? {});
}

/** The discovery document that the specification shows, of a server that declares every profile. */
export const exampleDiscovery = (): JsonObject => ({
  ...exampleOf('http/discovery', 'reference-server'),
  profiles: allProfiles(),
});
