import { isObject } from '../json.js';
import { propertiesOf, type WireSchema } from '../schemas/load.js';

/** Which unit the name of a property promises. */
const NAMED: readonly (readonly [name: RegExp, unit: string])[] = [
  [/(^ms|Ms)$/, 'ms'],
  [/(^b|B)ytes$/, 'bytes'],
];

/** What a copy of a limit has to have in common with `common/limits`. */
const COPIES = [
  { key: 'common/room-limits', same: ['x-unit', 'minimum', 'maximum', 'default'], alien: true },
  { key: 'common/requested-limits', same: ['x-unit', 'minimum'], alien: false },
] as const;

/**
 * Checks that every property named after milliseconds or bytes says so in `x-unit`, and that the limits which
 * `room-limits` and `requested-limits` share with `common/limits` are the same there. A room may have limits of its
 * own; a session can only ask for limits of the server.
 */
export function checkLimits(schemas: readonly WireSchema[]): readonly string[] {
  return [
    ...schemas.flatMap(({ file, schema }) => units(schema, '').map((problem) => `${file}: ${problem}`)),
    ...COPIES.flatMap((copy) => copied(schemas, copy)),
  ];
}

function units(node: unknown, at: string): readonly string[] {
  if (Array.isArray(node)) return node.flatMap((item, index) => units(item, `${at}/${String(index)}`));
  if (!isObject(node)) return [];
  const properties = isObject(node['properties']) ? node['properties'] : {};
  const own = Object.entries(properties).flatMap(([name, property]) => {
    const unit = NAMED.find(([pattern]) => pattern.test(name))?.[1];
    const says = isObject(property) ? property['x-unit'] : undefined;
    return unit === undefined || says === unit ? [] : [`${at}/properties/${name} has no x-unit ${unit}`];
  });
  return [...own, ...Object.entries(node).flatMap(([keyword, value]) => units(value, `${at}/${keyword}`))];
}

function copied(schemas: readonly WireSchema[], { key, same, alien }: (typeof COPIES)[number]): readonly string[] {
  const limits = propertiesOf(schemas, 'common/limits');
  return Object.entries(propertiesOf(schemas, key)).flatMap(([name, copy]) => {
    const original = limits[name];
    if (!isObject(original)) return alien ? [] : [`schemas/${key}.json: ${name} is no limit of common/limits`];
    return same
      .filter((keyword) => !isObject(copy) || copy[keyword] !== original[keyword])
      .map((keyword) => `schemas/${key}.json: ${keyword} of ${name} differs from common/limits`);
  });
}
