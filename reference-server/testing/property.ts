import fc from 'fast-check';
import type { Test } from 'tap';

/** Checks a property so many times; says the seed, and on failure the smallest counterexample. */
export function holds<Ts>(t: Test, property: fc.IProperty<Ts>, numRuns: number): void {
  const result = fc.check(property, { numRuns });
  t.notOk(result.failed, `holds in ${String(result.numRuns)} runs, seed ${String(result.seed)}`, {
    report: result.failed ? fc.defaultReportMessage(result) : '',
  });
}

/** The same for a property that takes its time. */
export async function holdsAsync<Ts>(t: Test, property: fc.IAsyncProperty<Ts>, numRuns: number): Promise<void> {
  const result = await fc.check(property, { numRuns });
  t.notOk(result.failed, `holds in ${String(result.numRuns)} runs, seed ${String(result.seed)}`, {
    report: result.failed ? fc.defaultReportMessage(result) : '',
  });
}
