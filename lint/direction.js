import { builtinModules } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';

/**
 * The import direction of the house: spec and schemas → generated → ports → router; adapters know ports and generated,
 * never each other and never the router; only the composition knows them all. The kit knows generated, never the
 * reference server. Paths are compared after resolution, so that no spelling of a specifier gets around it.
 */

const SERVER = 'reference-server/';
const COMPOSES = /^reference-server\/(main\.ts|compose[^/]*(\.ts|\/.*)|mutants\/.*|(.*\/)?testing\/.*|.*\.test\.ts)$/;
/** A folder that is one unit: ingress/<x> and fabric/<x> each for itself, any other folder as a whole. */
const UNIT = /^reference-server\/((?:ingress|fabric)\/[^/]+|[^/]+)\//;
/** What a folder of adapters shares, such as the contract suite that each of them runs. */
const SHARED = /^reference-server\/(ingress|fabric)\/(?:[^/]+\.ts$|contract\/)/;

const IO = [
  ...['net', 'tls', 'dgram', 'dns', 'http', 'https', 'http2', 'fs', 'child_process', 'cluster', 'worker_threads'],
  ...['timers', 'perf_hooks', 'process', 'os', 'readline', 'repl', 'inspector'],
];
const JUDGE_KNOWS_NO = ['runner', 'drivers', 'mutants', 'nulls', 'reporters', 'cli.ts'].map((x) => `conformance/${x}`);

/** Tells why `file` may not import `target`, a path in the repository; undefined if it may. */
function refuse(file, target) {
  if (file.startsWith('generated/'))
    return within(target, ['generated/']) ? undefined : 'generated/ imports nothing handwritten';
  if (file.startsWith('support/')) return within(target, ['support/']) ? undefined : 'support/ imports only itself';
  if (file.startsWith('codegen/'))
    return within(target, ['codegen/', 'support/']) ? undefined : 'codegen/ imports only itself and support/';
  if (file.startsWith('conformance/')) return refuseInKit(file, target);
  return file.startsWith(SERVER) && !COMPOSES.test(file) ? refuseInServer(file, target) : undefined;
}

function refuseInKit(file, target) {
  if (target.startsWith(SERVER)) return 'conformance/ never imports reference-server/';
  if (!within(target, ['conformance/', 'generated/', 'support/']))
    return 'conformance/ imports generated/, support/ and itself';
  if (!file.startsWith('conformance/judge/') || file.endsWith('.test.ts')) return undefined;
  const impure = within(target, [...JUDGE_KNOWS_NO, 'support/']);
  return impure ? 'conformance/judge/ is pure: a case and a timeline are all it knows' : undefined;
}

function refuseInServer(file, target) {
  if (within(target, ['generated/', `${SERVER}ports/`])) return undefined;
  const unit = UNIT.exec(file)?.[0];
  if (unit === undefined) return refuseAtTop(target);
  if (target.startsWith(unit)) return undefined;
  const name = unit.slice(SERVER.length, -1);
  if (name === 'ports') return 'ports/ imports only generated/';
  if (name === 'router') return 'router/ imports only ports/ and generated/';
  const shared = SHARED.exec(target)?.[1];
  if (shared !== undefined && name.startsWith(`${shared}/`)) return undefined;
  return target.startsWith('support/')
    ? undefined
    : `${name}/ imports only ports/ and generated/, never its neighbours`;
}

/** Files beside main.ts may share what they have; only the composition reaches down. */
function refuseAtTop(target) {
  const beside = /^reference-server\/[^/]+\.ts$/.test(target) && !COMPOSES.test(target);
  return beside || target.startsWith('support/') ? undefined : 'only main.ts, compose*.ts and mutants/ compose';
}

/** Tells why `file` may not import the module `name`, of Node or of a package; undefined if it may. */
function refuseModule(file, name, typeOnly) {
  if (file.endsWith('.test.ts')) return undefined;
  const bare = name.replace(/^node:/, '');
  const root = bare.split('/')[0] ?? bare;
  const builtin = name.startsWith('node:') || builtinModules.includes(bare);
  const pure = ['reference-server/router/', 'reference-server/ports/', 'conformance/judge/'].find((x) =>
    file.startsWith(x),
  );
  if (pure === 'reference-server/ports/' && typeOnly) return undefined;
  if (pure !== undefined && builtin && IO.includes(root)) return `${pure} does no I/O and has no clock`;
  if (/^reference-server\/(router|ports)\//.test(file) && !builtin) return `${pure} imports no package`;
  if (file.startsWith('conformance/') && root === 'ws')
    return 'the kit has codecs of its own: a shared library hides shared faults';
  return undefined;
}

function within(target, folders) {
  return folders.some(
    (folder) =>
      target === folder || target.startsWith(folder.endsWith('/') || folder.endsWith('.ts') ? folder : `${folder}/`),
  );
}

/** ESLint rule: reports each static, dynamic or type import that goes against the direction. */
export const direction = {
  meta: { type: 'problem', schema: [{ type: 'object', properties: { root: { type: 'string' } } }] },
  create(context) {
    const { root } = context.options[0];
    const file = slashes(relative(root, context.filename));
    const check = (node, source) => {
      if (source === null || source === undefined) return;
      if (typeof source.value !== 'string') {
        if (layered(file)) context.report({ node, message: 'an import here names its module literally' });
        return;
      }
      const message = source.value.startsWith('.')
        ? refuse(file, slashes(join(dirname(file), source.value)).replace(/\.js$/, '.ts'))
        : refuseModule(file, source.value, node.importKind === 'type');
      if (message !== undefined) context.report({ node, message: `${message} (imports ${source.value})` });
    };
    return {
      ImportDeclaration: (node) => check(node, node.source),
      ExportNamedDeclaration: (node) => check(node, node.source),
      ExportAllDeclaration: (node) => check(node, node.source),
      ImportExpression: (node) => check(node, node.source),
      TSImportType: (node) => check(node, node.source ?? node.argument?.literal),
      TSExternalModuleReference: (node) => check(node, node.expression),
    };
  },
};

/** Whether a computed import could cross the direction unseen: everywhere but in the composition, where all is open. */
function layered(file) {
  return (
    /^(generated|support|codegen|conformance|reference-server)\//.test(file) &&
    !COMPOSES.test(file) &&
    !file.endsWith('.test.ts')
  );
}

function slashes(path) {
  return path.replaceAll(sep, '/');
}
