import { Parser } from 'tap-parser';

/** What tap-parser makes of a TAP stream. */
export interface ParsedTap {
  readonly ok: boolean;
  readonly count: number;
  readonly fail: number;
  readonly skip: number;
  readonly version: number;
  readonly failures: readonly { readonly name: unknown; readonly diag: unknown }[];
}

/** Parses TAP as its consumers do. */
export function parseTap(text: string): ParsedTap {
  let version = 0;
  const parser = new Parser();
  parser.on('version', (found: number | string) => (version = Number(found)));
  parser.end(text);
  const { ok, count, fail, skip, failures } = parser.results ?? { ok: false, count: 0, fail: 0, skip: 0, failures: [] };
  return {
    ok,
    count,
    fail,
    skip,
    version,
    failures: failures.map((each: { readonly name?: unknown; readonly diag?: unknown }) => ({
      name: each.name,
      diag: each.diag,
    })),
  };
}
