/** A helper that validators call: JavaScript text, because it is written out and never run here. */
interface Helper {
  readonly name: string;
  readonly code: string;
}

const equal: Helper = {
  name: 'equalJson',
  code: `/** Whether two JSON values are the same, whatever the order of members. */
function equalJson(a, b) {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equalJson(a[key], b[key]));
}
`,
};

const codePoints: Helper = {
  name: 'codePoints',
  code: `/** Length of a string as JSON Schema counts it: a surrogate pair is one. */
function codePoints(text) {
  let count = text.length;
  for (let at = 1; at < text.length; at++) {
    const pair = (text.charCodeAt(at - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(at) & 0xfc00) === 0xdc00;
    if (pair) count--;
  }
  return count;
}
`,
};

/** What stands in for each module that Ajv's standalone code may import, so that validators need no package. */
export const RUNTIME: Readonly<Record<string, Helper>> = {
  'ajv/dist/runtime/equal': equal,
  'ajv/dist/runtime/ucs2length': codePoints,
};
