import { test } from 'tap';
import type { Json } from '../timeline.js';
import { match } from './match.js';

interface Matching {
  readonly expected: Json;
  readonly fits: readonly (Json | undefined)[];
  readonly not: readonly (Json | undefined)[];
}

const MATCHERS: Readonly<Record<string, Matching>> = {
  'a value, the same value': { expected: 7, fits: [7], not: [8, '7', null, undefined, [7]] },
  'an object, its fields among others': {
    expected: { a: 1 },
    fits: [{ a: 1 }, { a: 1, b: 2 }],
    not: [{}, { a: 2 }, [], null],
  },
  'an empty object, any object': { expected: {}, fits: [{}, { a: 1 }], not: ['x', null, []] },
  'a list, exactly its elements': {
    expected: [1, { a: 1 }],
    fits: [[1, { a: 1, b: 2 }]],
    not: [[1], [{ a: 1 }, 1], [1, { a: 1 }, 2]],
  },
  'an inherited field, nothing': {
    expected: { constructor: { $absent: true } },
    fits: [{}],
    not: [{ constructor: 1 }],
  },
  $type: { expected: { $type: 'integer' }, fits: [0, 5], not: [0.5, '5', null, undefined] },
  '$type number': { expected: { $type: 'number' }, fits: [0, 0.5], not: ['5'] },
  $match: { expected: { $match: '^s_' }, fits: ['s_x'], not: ['x', 5, undefined] },
  $gt: { expected: { $gt: 2 }, fits: [3], not: [2, '3', undefined] },
  $gte: { expected: { $gte: 2 }, fits: [2], not: [1] },
  $lt: { expected: { $lt: 2 }, fits: [1], not: [2] },
  $lte: { expected: { $lte: 2 }, fits: [2], not: [3] },
  'two operators, both': { expected: { $gt: 1, $lt: 4 }, fits: [2], not: [1, 4] },
  $ne: { expected: { $ne: 'a' }, fits: ['b', 1, null], not: ['a', undefined] },
  $in: { expected: { $in: ['a', { b: 1 }] }, fits: ['a', { b: 1 }], not: ['c', { b: 1, c: 2 }] },
  $absent: { expected: { a: { $absent: true } }, fits: [{}, { b: 1 }], not: [{ a: null }] },
  '$absent false': { expected: { a: { $absent: false } }, fits: [{ a: null }], not: [{}] },
  $len: { expected: { $len: 2 }, fits: ['ab', [1, 2]], not: ['a', [1], 2, undefined] },
  $exact: { expected: { $exact: { a: [1] } }, fits: [{ a: [1] }], not: [{ a: [1], b: 2 }, {}] },
  $some: { expected: { $some: { n: 2 } }, fits: [[{ n: 1 }, { n: 2, id: 'x' }]], not: [[], [{ n: 1 }], { n: 2 }] },
  $every: { expected: { $every: { n: 1 } }, fits: [[], [{ n: 1 }]], not: [[{ n: 1 }, { n: 2 }], 'x'] },
  $base64url: { expected: { $base64url: 2 }, fits: ['AAA'], not: ['AAA=', 'AA', 'AAB', '++A', undefined] },
  '$profiles, every one with what it needs': {
    expected: { $profiles: 'closed' },
    fits: [
      ['core', 'websocket'],
      ['core', 'websocket', 'of-a-later-version'],
    ],
    not: [['websocket'], ['core', 'lines'], ['core', 7], ['of-a-later-version'], 'core'],
  },
  'an unknown operator, nothing': { expected: { $like: 1 }, fits: [], not: [1, undefined] },
};

test('a matcher takes for', (t) => {
  for (const [name, { expected, fits, not }] of Object.entries(MATCHERS)) {
    t.test(name, (t) => {
      for (const value of fits) t.equal(match(expected, value), undefined, `fits ${JSON.stringify(value)}`);
      for (const value of not) t.ok(match(expected, value), `not ${JSON.stringify(value)}`);
      t.end();
    });
  }
  t.same(
    match({ a: [{ b: 1 }] }, { a: [{ b: 2 }] }),
    { path: '/a/0/b', expected: '1', received: '2' },
    'and says where it is not so',
  );
  t.end();
});
