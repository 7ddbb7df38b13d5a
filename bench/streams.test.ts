import { spawnSync } from 'node:child_process';
import t from 'tap';
import { limits } from '../generated/limits.js';
import { faults } from './streams/report.js';
import { stream } from './streams/stream.js';

const MIB = 2 ** 20;
const BYTES = 128 * MIB;
/** A server that kept what is not read would have to keep more. */
const MOST_MORE_KIB = 80 * 1024;
const ANSWERS = { ftp: /^226$/, form: new RegExp(`"bytes":${String(BYTES)},.*"members":1[^]*200$`) };

/** Where curl is missing the test is skipped by name; where CI is true it fails. */
const there = spawnSync('curl', ['--version']).error === undefined || process.env.CI === 'true';
const skip = there ? {} : { skip: 'curl is not installed' };

for (const through of ['ftp', 'form'] as const) {
  void t.test(
    `a long stream through ${through} is no faster than its slow member, and nobody keeps it`,
    skip,
    async (t) => {
      const streamed = await stream(through, BYTES);
      t.same(faults(streamed), []);
      t.match(streamed.answer, ANSWERS[through]);
      t.ok(streamed.ahead >= limits.maxQueuedBytes.default, 'the sender had to wait for the member');
      const { idleKiB, peakKiB } = streamed;
      if (idleKiB === null || peakKiB === null) t.comment('the system does not tell how much memory a process has');
      else t.ok(peakKiB - idleKiB < MOST_MORE_KIB, `${String(peakKiB - idleKiB)} KiB`);
    },
  );
}
