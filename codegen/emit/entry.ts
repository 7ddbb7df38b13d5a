import { BANNER } from './banner.js';

/** Writes `index.ts`, the one module to import from. */
export function emitIndex(): string {
  return `${BANNER}
/**
 * The wire of Porthouse: a type and a validator for each thing on it, and the tables of errors, limits and profiles.
 *
 * \`\`\`ts
 * const value: unknown = JSON.parse(text);
 * if (validate['events/pipe.refused'](value)) retry(value.from, value.to);
 * else console.error(validate['events/pipe.refused'].errors);
 * \`\`\`
 *
 * @module
 */
export * from './errors.js';
export * from './limits.js';
export * from './profiles.js';
export * from './types.js';
export * from './validate.js';
`;
}
