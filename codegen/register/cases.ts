import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { filesBelow } from '../files.js';
import { isObject, messageOf, type JsonObject } from '../json.js';

/** What the register needs to know of the cases. */
export interface Proofs {
  /** Requirement id to the sorted ids of the cases that prove it. */
  readonly byRequirement: ReadonlyMap<string, readonly string[]>;
  readonly problems: readonly string[];
}

/**
 * Reads every `proves:` of `<root>/conformance/cases/**\/*.yaml`, of a case or of anything inside it; `$key` stands for
 * what the case's rows have there.
 */
export function readProofs(root: string): Proofs {
  const byRequirement = new Map<string, string[]>();
  const problems: string[] = [];
  for (const file of filesBelow(join(root, 'conformance/cases'), '.yaml')) {
    const content = readYaml(join(root, 'conformance/cases', file));
    if (typeof content === 'string') problems.push(`conformance/cases/${file}: ${content}`);
    else collect(content.id, content.proves, byRequirement);
  }
  return { byRequirement, problems };
}

function collect(id: string, proves: ReadonlySet<string>, into: Map<string, string[]>): void {
  for (const requirement of proves) {
    const cases = into.get(requirement) ?? [];
    if (!cases.includes(id)) into.set(requirement, [...cases, id].sort());
  }
}

function readYaml(file: string): { readonly id: string; readonly proves: ReadonlySet<string> } | string {
  try {
    const content: unknown = parse(readFileSync(file, 'utf8'));
    if (!isObject(content) || typeof content['id'] !== 'string') return 'a case has no id';
    const named = new Set<string>();
    gather(content, named);
    const proves = new Set(
      [...named].flatMap((name) => (name.startsWith('$') ? inRows(content, name.slice(1)) : name)),
    );
    return { id: content['id'], proves };
  } catch (error) {
    return messageOf(error).split('\n')[0] ?? 'not YAML';
  }
}

function gather(node: unknown, into: Set<string>): void {
  if (Array.isArray(node)) for (const item of node) gather(item, into);
  if (!isObject(node)) return;
  for (const [key, value] of Object.entries(node)) {
    if (key === 'proves') for (const id of [value].flat()) into.add(String(id));
    else gather(value, into);
  }
}

function inRows({ rows }: JsonObject, key: string): readonly string[] {
  const values = Array.isArray(rows) ? rows.filter(isObject).map((row) => row[key] ?? []) : [];
  return values.flat().map(String);
}
