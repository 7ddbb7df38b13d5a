import { readFileSync } from 'node:fs';

/** A JSON object whose members have not been looked at yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What was handed to us cannot be used; the message is one line for whoever handed it. Anything else is a fault of ours. */
export class Unusable extends Error {}

/** Tells a JSON object from arrays, null and scalars. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads one JSON file.
 *
 * @throws {Unusable} If the file cannot be read or is not JSON; the message starts with the file's name.
 */
export function readJson(file: string): unknown {
  const text = readText(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Unusable(`${file}: not JSON: ${messageOf(error).replaceAll(/\s+/g, ' ')}`, { cause: error });
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Unusable(`${file}: ${reasonOf(error)}`, { cause: error });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'is a folder',
  ENOTDIR: 'is below something that is not a folder',
  EEXIST: 'is not a folder',
  EACCES: 'access is not permitted',
  EROFS: 'is on a read-only file system',
};

/** Why the file system refused something, in words. */
export function reasonOf(error: unknown): string {
  const code = isObject(error) ? String(error['code']) : '';
  return REASONS[code] ?? messageOf(error);
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
