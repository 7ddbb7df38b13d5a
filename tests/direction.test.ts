import { join } from 'node:path';
import { ESLint } from 'eslint';
import t from 'tap';
import tseslint from 'typescript-eslint';
import { packageRoot } from '../support/package-root.js';

const root = packageRoot();

/** The real configuration, without the rules that need the linted file to be part of the TypeScript project. */
const eslint = new ESLint({
  cwd: root,
  overrideConfig: [{ files: ['**/*.ts'], ...tseslint.configs.disableTypeChecked }],
});

/** What the linter has to say about imports and ambient things in a file of this text at this path. */
async function refusals(file: string, text: string): Promise<readonly string[]> {
  const [result] = await eslint.lintText(text, { filePath: join(root, file) });
  t.equal(result?.fatalErrorCount, 0, `${file} parses`);
  const rules = /^(house\/direction|no-restricted-.*)$/;
  return (result?.messages ?? []).filter(({ ruleId }) => rules.test(ruleId ?? '')).map(({ message }) => message);
}

const forbidden: readonly (readonly [file: string, specifier: string])[] = [
  ['generated/types.ts', '../reference-server/ports/clock.js'],
  ['generated/deep/types.ts', '../../conformance/cli.js'],
  ['support/package-root.ts', '../codegen/cli.js'],
  ['codegen/cli.ts', '../generated/types.js'],
  ['reference-server/ports/clock.ts', '../router/rooms.js'],
  ['reference-server/ports/clock.ts', '../../support/package-root.js'],
  ['reference-server/ports/clock.ts', 'node:net'],
  ['reference-server/router/rooms.ts', '../store/memory.js'],
  ['reference-server/router/deep/rooms.ts', '../../ingress/websocket/pipe.js'],
  ['reference-server/router/rooms.ts', './../sibling/bind.js'],
  ['reference-server/router/rooms.ts', '../../conformance/judge/judge.js'],
  ['reference-server/router/rooms.ts', '../../support/package-root.js'],
  ['reference-server/router/rooms.ts', '../main.js'],
  ['reference-server/router/rooms.ts', 'pino'],
  ...[
    'node:net',
    'node:http',
    'node:fs',
    'node:fs/promises',
    'node:timers',
    'timers/promises',
    'node:child_process',
  ].map((name) => ['reference-server/router/rooms.ts', name] as const),
  ['reference-server/ingress/websocket/pipe.ts', '../tcp/pipe.js'],
  ['reference-server/ingress/websocket/pipe.ts', '../../router/rooms.js'],
  ['reference-server/ingress/websocket/pipe.ts', '../../sibling/bind.js'],
  ['reference-server/sibling/bind.ts', '../router/sessions.js'],
  ['reference-server/sibling/bind.ts', '../ingress/websocket/pipe.js'],
  ['reference-server/bridge/link.ts', '../router/rooms.js'],
  ['reference-server/fabric/nats/subjects.ts', '../local/fabric.js'],
  ['reference-server/store/memory.ts', '../web/page.js'],
  ['reference-server/web/page.ts', '../router/rooms.js'],
  ['reference-server/web/page.ts', '../compose.js'],
  ['reference-server/options.ts', './router/rooms.js'],
  ['reference-server/options.ts', './main.js'],
  ['conformance/cli.ts', '../reference-server/main.js'],
  ['conformance/cli.ts', '../codegen/generate.js'],
  ['conformance/cli.test.ts', '../reference-server/main.js'],
  ['conformance/drivers/websocket/socket.ts', 'ws'],
  ['conformance/judge/judge.ts', '../runner/run.js'],
  ['conformance/judge/judge.ts', '../drivers/http.js'],
  ...['node:net', 'node:fs', 'node:http', 'node:child_process', 'node:timers', 'node:timers/promises', 'fs'].map(
    (name) => ['conformance/judge/judge.ts', name] as const,
  ),
];

const allowed: readonly (readonly [file: string, specifier: string])[] = [
  ['generated/validate.ts', './types.js'],
  ['generated/validators.ts', 'ajv/dist/runtime/equal.js'],
  ['codegen/cli.ts', '../support/package-root.js'],
  ['reference-server/ports/clock.ts', '../../generated/types.js'],
  ['reference-server/router/deep/rooms.ts', '../positions.js'],
  ['reference-server/router/rooms.ts', '../ports/clock.js'],
  ['reference-server/router/rooms.ts', '../../generated/errors.js'],
  ['reference-server/router/bytes.ts', 'node:buffer'],
  ['reference-server/ingress/websocket/pipe.ts', './frames/mask.js'],
  ['reference-server/ingress/websocket/pipe.ts', '../contract/suite.js'],
  ['reference-server/ingress/websocket/pipe.ts', '../../ports/ingress.js'],
  ['reference-server/ingress/websocket/pipe.ts', 'ws'],
  ['reference-server/sibling/bind.ts', 'node:crypto'],
  ['reference-server/sibling/bind.test.ts', '../router/sessions.js'],
  ['reference-server/testing/world.ts', '../router/router.js'],
  ['reference-server/ingress/testing/contract.ts', '../../testing/world.js'],
  ['reference-server/main.ts', './router/rooms.js'],
  ['reference-server/compose-http.ts', './web/page.js'],
  ['reference-server/mutants/deaf-clock.ts', '../router/rooms.js'],
  ['reference-server/options.ts', './version.js'],
  ['conformance/judge/judge.ts', '../timeline.js'],
  ['conformance/judge/judge.ts', '../../generated/requirements.js'],
  ['conformance/runner/run.ts', '../judge/judge.js'],
  ['conformance/runner/run.ts', 'node:net'],
  ['bin/porthouse.ts', '../reference-server/main.js'],
];

/** Every way to write an import. */
function spellings(specifier: string): readonly string[] {
  return [
    `import { a } from '${specifier}';\nconsole.log(a);\n`,
    `import '${specifier}';\n`,
    `export { a } from '${specifier}';\n`,
    `export * from '${specifier}';\n`,
    `export const a = await import('${specifier}');\n`,
    `export type A = import('${specifier}').A;\n`,
  ];
}

void t.test('each forbidden import is refused, however it is spelt', async (t) => {
  for (const [file, specifier] of forbidden) {
    const found = await Promise.all(spellings(specifier).map((text) => refusals(file, text)));
    const silent = spellings(specifier).filter((_text, at) => found[at]?.length === 0);
    t.strictSame(silent, [], `${file} importing ${specifier}`);
  }
});

void t.test('imports with the direction pass', async (t) => {
  for (const [file, specifier] of allowed) {
    const found = await Promise.all(spellings(specifier).map((text) => refusals(file, text)));
    t.strictSame(found.flat(), [], `${file} importing ${specifier}`);
  }
});

void t.test('a type-only import against the direction is refused too', async (t) => {
  const text = "import type { Room } from '../router/rooms.js';\nexport type A = Room;\n";
  t.match(await refusals('reference-server/sibling/bind.ts', text), [/never its neighbours \(imports \.\.\/router/]);
  const types = "import type { Socket } from 'node:net';\nexport type A = Socket;\n";
  t.strictSame(await refusals('reference-server/ports/sockets.ts', types), [], 'ports may name a type of Node');
  t.match(await refusals('reference-server/router/rooms.ts', types), [/no I\/O/], 'the router may not');
});

void t.test('an import whose module is computed is refused where the direction holds', async (t) => {
  const text = 'export const load = (name: string): unknown => import(name);\n';
  t.match(await refusals('reference-server/router/rooms.ts', text), [/literally/]);
  t.match(await refusals('conformance/cli.ts', text), [/literally/]);
  t.strictSame(await refusals('reference-server/mutants/load.ts', text), []);
});

void t.test('router and judge may not reach for a clock, randomness or the process', async (t) => {
  const ambient = [
    ...['Date.now()', 'new Date()', 'Date()', 'Math.random()', 'performance.now()', 'process.hrtime()'],
    ...['setTimeout(f, 1)', 'setInterval(f, 1)', 'setImmediate(f)', 'globalThis.setTimeout(f, 1)'],
    ...['crypto.randomBytes(8)', 'crypto.getRandomValues(f)', 'globalThis.crypto'],
  ];
  for (const expression of ambient) {
    const text = `export const a = (f: never): unknown => [f, ${expression}];\n`;
    for (const file of ['reference-server/router/rooms.ts', 'conformance/judge/judge.ts']) {
      t.not((await refusals(file, text)).length, 0, `${file} with ${expression}`);
    }
    t.strictSame(await refusals('reference-server/store/memory.ts', text), [], `the store with ${expression}`);
  }
  const random = "import { randomBytes } from 'node:crypto';\nexport const a = randomBytes(8);\n";
  t.match(await refusals('reference-server/router/rooms.ts', random), [/randomBytes/]);
  const pure = "import { createHmac } from 'node:crypto';\nexport const a = [createHmac, new Date(0)];\n";
  t.strictSame(await refusals('reference-server/router/rooms.ts', pure), []);
});

void t.test('a comment cannot switch a rule off', async (t) => {
  const text = "/* eslint-disable */\nimport '../router/rooms.js'; // eslint-disable-line\n";
  t.match(await refusals('reference-server/sibling/bind.ts', text), [/never its neighbours/]);
});
