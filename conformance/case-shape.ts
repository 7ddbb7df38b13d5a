import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import { packageRoot } from '../support/package-root.js';
import { isFields } from './model.js';

/** A fault of shape: the keys that lead to it, and what is wrong there. */
export interface ShapeFault {
  readonly path: readonly string[];
  readonly what: string;
}

let compiled: ValidateFunction | undefined;

function validator(): ValidateFunction {
  const file = join(packageRoot(import.meta.url), 'conformance', 'case.schema.json');
  const schema: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!isFields(schema)) throw new Error(`${file} is no schema`);
  compiled ??= new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(schema);
  return compiled;
}

/** Holds a parsed case file against case.schema.json; empty when it has the shape of a case. */
export function checkCaseShape(raw: unknown): ShapeFault[] {
  const valid = compiled ?? validator();
  const faults = valid(raw) ? [] : (valid.errors ?? []).map(toFault);
  return [...faults, ...verbFaults(raw)];
}

function toFault(error: ErrorObject): ShapeFault {
  const path = error.instancePath.split('/').slice(1);
  const { additionalProperty, allowedValues } = error.params as Readonly<Record<string, unknown>>;
  const extra = typeof additionalProperty === 'string' ? ` (${additionalProperty})` : '';
  const allowed = Array.isArray(allowedValues) ? ` (${allowedValues.join(', ')})` : '';
  return { path, what: `${error.message ?? error.keyword}${extra}${allowed}` };
}

const NO_VERB: ReadonlySet<string> = new Set(['proves', 'save', 'expect']);

function verbFaults(raw: unknown): ShapeFault[] {
  const steps: unknown = isFields(raw) ? raw['steps'] : undefined;
  if (!Array.isArray(steps)) return [];
  return steps.flatMap((step: unknown, index) => {
    if (!isFields(step)) return [];
    const verbs = Object.keys(step).filter((key) => !NO_VERB.has(key));
    const path = ['steps', String(index)];
    if (verbs.length > 1) return [{ path, what: `one verb, not ${verbs.join(' and ')}` }];
    if (verbs.length === 0 && step['expect'] === undefined) return [{ path, what: 'no verb' }];
    return [];
  });
}
