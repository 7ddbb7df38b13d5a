import { limits } from '../../generated/limits.js';
import type { Streamed } from './stream.js';

const MIB = 2 ** 20;
const KIB = 2 ** 10;

/** How much more memory the server may have in RAM, at its peak, than before the stream. */
export const MOST_KIB = 150 * KIB;

/** What `bench/streams.json` holds; bench/README.md says what it means. */
export interface StreamResults {
  readonly format: 1;
  readonly node: string;
  readonly maxQueuedBytes: number;
  readonly streams: readonly Omit<Streamed, 'answer'>[];
}

export function streamResults(streams: readonly Streamed[]): StreamResults {
  return {
    format: 1,
    node: process.version.slice(1),
    maxQueuedBytes: limits.maxQueuedBytes.default,
    streams: streams.map(({ answer: _answer, ...figures }) => figures),
  };
}

const grown = ({ idleKiB, peakKiB }: Streamed): number | null =>
  idleKiB === null || peakKiB === null ? null : peakKiB - idleKiB;

/** What of a stream is not as it has to be; nothing where all is well. */
export function faults(streamed: Streamed): string[] {
  const { through, bytes, received, whole, ahead, known } = streamed;
  const found: string[] = [];
  if (received !== bytes) found.push(`${String(received)} of ${String(bytes)} bytes arrived`);
  if (!whole) found.push('what arrived is not what was sent');
  if (ahead > known) found.push(`the sender was ${String(ahead)} bytes ahead, and ${String(known)} can be under way`);
  if ((grown(streamed) ?? 0) > MOST_KIB) found.push(`the server took ${String(grown(streamed))} KiB more`);
  return found.map((fault) => `${through}: ${fault}`);
}

const mib = (bytes: number): string => (bytes / MIB).toFixed(1);

/** A line for each stream. */
export function streamTable(streams: readonly Streamed[]): string {
  const lines = streams.map((streamed) => {
    const more = grown(streamed);
    return [
      streamed.through.padEnd(6),
      mib(streamed.bytes).padStart(10),
      `${mib(streamed.ahead)} of ${mib(streamed.known)}`.padStart(20),
      (more === null ? '-' : `${mib(more * KIB)} of ${mib(MOST_KIB * KIB)}`).padStart(20),
    ].join('');
  });
  return [
    'MiB through a stream room with a slow member.',
    `${''.padEnd(6)}${'sent'.padStart(10)}${'ahead, at most'.padStart(20)}${'memory, at most'.padStart(20)}`,
    ...lines,
    '',
  ].join('\n');
}
