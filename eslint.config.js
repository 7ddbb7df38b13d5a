import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { direction } from './lint/direction.js';

const TESTS = ['**/*.test.ts', 'tests/**', '**/testing/**'];
/** Written by codegen/: only the direction of its imports is ours to check. */
const GENERATED = ['generated/**'];
/** Folders that may know no clock, no randomness and no process but what they are handed. */
const PURE = ['reference-server/router/**/*.ts', 'conformance/judge/**/*.ts'];

const AMBIENT = ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'].concat(
  ['performance', 'process', 'fetch', 'WebSocket'],
);
const RANDOM = [
  'randomBytes',
  'randomUUID',
  'randomInt',
  'randomFill',
  'randomFillSync',
  'getRandomValues',
  'webcrypto',
];

const style = {
  'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx'] }],
  'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
  'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
  'max-params': 'off',
  eqeqeq: 'error',
};

const types = {
  '@typescript-eslint/max-params': ['error', { max: 3 }],
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
  '@typescript-eslint/no-confusing-void-expression': [
    'error',
    { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
  ],
  '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
  '@typescript-eslint/ban-ts-comment': 'error',
  '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
};

/** Tap itself waits for its subtests, so nobody else needs to. */
const tests = {
  'max-lines-per-function': 'off',
  '@typescript-eslint/unbound-method': 'off',
  '@typescript-eslint/no-floating-promises': [
    'error',
    { allowForKnownSafePromises: [{ from: 'package', name: 'PromiseWithSubtest', package: '@tapjs/core' }] },
  ],
};

const pure = {
  'no-restricted-globals': ['error', ...AMBIENT.map((name) => ({ name, message: 'Take it from a port.' }))],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'Take the time from the Clock port.' },
    { object: 'Math', property: 'random', message: 'Take randomness from a port.' },
    ...['crypto', ...RANDOM].map((property) => ({ object: 'globalThis', property })),
    ...AMBIENT.map((property) => ({ object: 'globalThis', property })),
    ...RANDOM.map((property) => ({ object: 'crypto', property })),
  ],
  'no-restricted-syntax': [
    'error',
    {
      selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
      message: 'Take the time from the Clock port.',
    },
    { selector: 'CallExpression[callee.name="Date"]', message: 'Take the time from the Clock port.' },
  ],
  'no-restricted-imports': [
    'error',
    { paths: ['node:crypto', 'crypto'].map((name) => ({ name, importNames: RANDOM })) },
  ],
};

export default defineConfig(
  { ignores: ['dist/', 'node_modules/', '.tap/', '.docs/', '.out/', 'coverage/'] },
  { linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'off' } },
  {
    files: ['**/*.ts', 'generated/**/*.js'],
    languageOptions: { parser: tseslint.parser },
    plugins: { house: { rules: { direction } } },
    rules: { 'house/direction': ['error', { root: import.meta.dirname }] },
  },
  { ignores: GENERATED, extends: [js.configs.recommended], rules: style },
  {
    files: ['**/*.ts'],
    ignores: GENERATED,
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.test.json', './reference-server/web/client/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: types,
  },
  { files: ['**/*.js', '**/*.mjs'], languageOptions: { globals: { console: 'readonly', process: 'readonly' } } },
  { files: ['examples/**/*.mjs'], languageOptions: { globals: { ...nodeGlobals(), WebSocket: 'readonly' } } },
  { files: PURE, ignores: TESTS, rules: pure },
  { files: TESTS, rules: tests },
);

/** What Node 20 offers a program that imports nothing. */
function nodeGlobals() {
  const names = ['fetch', 'Buffer', 'URL', 'TextEncoder', 'TextDecoder', 'crypto', 'setTimeout', 'setImmediate'];
  return Object.fromEntries([...names, 'console', 'process'].map((name) => [name, 'readonly']));
}
