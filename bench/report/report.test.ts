import t from 'tap';
import type { Measured } from '../measure.js';
import { QUICK, ROWS, type Row, type ServerName } from '../plan.js';
import { short, times } from './figures.js';
import { type Results, type Rounds, median, resultRows } from './results.js';
import { plot } from './svg.js';
import { table } from './table.js';

const measured = (row: Row, value: number | null): Measured => ({
  figures: Object.fromEntries(row.figures.map(({ id }) => [id, value])),
  outcome: { count: 1, seconds: 1, clientCpu: 0.5, serverCpu: 1.25 },
});

/** Every row measured with the given values, a round each. */
function resultsOf(values: Readonly<Partial<Record<ServerName, readonly (number | null)[]>>>): Results {
  const measurements = new Map(
    ROWS.map((row) => {
      const names = Object.keys(values).filter((name) => row.servers.includes(name as ServerName)) as ServerName[];
      const rounds = (name: ServerName): Rounds => values[name]?.map((value) => measured(row, value)) ?? [];
      return [row, new Map<ServerName, Rounds>(names.map((name) => [name, rounds(name)]))] as const;
    }),
  );
  return {
    format: 1,
    machine: { node: '20', system: 'x', cores: 2, processor: 'x', pinned: true, bufferutil: null },
    versions: { porthouse: '1', naive: '8', 'socket.io': null, nats: '2', mosquitto: '2' },
    settings: QUICK,
    rows: resultRows(measurements),
  };
}

void t.test('a ratio is of one round and says how many times as good', (t) => {
  const { rows } = resultsOf({ porthouse: [200, 900, 60], naive: [100, 300, 10] });
  const speed = rows.find(({ id }) => id === 'fan-out-100')?.servers.porthouse;
  t.match(speed, { value: 200, rounds: [200, 900, 60], ratio: 3, serverCpu: 1.25, clientCpu: 0.5 });
  const delay = rows.find(({ id }) => id === 'latency-p99')?.servers.porthouse;
  t.match(delay, { value: 200, ratio: 1 / 3 });
  t.end();
});

void t.test('what the system does not tell, and what is not there, is no figure', (t) => {
  const { rows } = resultsOf({ porthouse: [1, null], naive: [1, 1] });
  t.same(rows[0]?.servers.porthouse, { absent: 'the system does not tell' });
  t.match(rows[0]?.servers.naive, { ratio: 1 });
  const alone = resultsOf({ porthouse: [5] }).rows[0]?.servers.porthouse;
  t.match(alone, { value: 5, ratio: null });
  t.end();
});

void t.test('the middle of an even number of rounds lies between two of them', (t) => {
  t.equal(median([4, 1, 3, 2]), 2.5);
  t.equal(median([3, 1, 2]), 2);
  t.end();
});

void t.test('figures are short', (t) => {
  t.same([0, 0.5304, 12.53, 999, 210_400, 1_712_000].map(short), ['0.00', '0.53', '12.5', '999', '210k', '1.71M']);
  t.same([0.333, 1, 5.61, 38.4, 120].map(times), ['0.33x', '1.0x', '5.6x', '38x', '120x']);
  t.end();
});

void t.test('the table fits 80 columns and says what is not installed', (t) => {
  const peers = { porthouse: [12_345_678], naive: [345_678], nats: [1_712_345], mosquitto: [12.3] };
  const transports = {
    websocket: [12_345_678],
    'tcp-line': [123_456],
    'tcp-frame': [1e6],
    udp: [123_456],
    form: [345_678],
  };
  const text = table(resultsOf({ ...peers, ...transports }));
  for (const line of text.split('\n')) if (line.length > 80) t.fail(`${String(line.length)}: ${line}`);
  t.match(text, /12\.3M {3}36x/);
  t.match(text, /^socket.io: not installed$/m);
  t.match(text, /^ +websocket +tcp-line +tcp-frame +udp +form\nfan-out 100, 128 B +12\.3M {2}1\.0x +123k 0\.01x/m);
  t.end();
});

void t.test('the plot has a bar for each ratio, inside the picture', (t) => {
  const peers = { porthouse: [4000], naive: [100], nats: [150], mosquitto: [3] };
  const transports = { websocket: [100], 'tcp-line': [70], udp: [1] };
  const svg = plot(resultsOf({ ...peers, ...transports }));
  const bars = [...svg.matchAll(/<rect class="(?!ground)[\w-]+" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g)];
  const named = [...Object.keys(peers), ...Object.keys(transports)];
  const measured = ROWS.flatMap(({ figures, servers, base }) =>
    figures.flatMap(() => servers.filter((name) => name !== base && named.includes(name))),
  );
  t.equal(bars.length, measured.length);
  t.ok(bars.every(([, x, width]) => Number(x) >= 0 && Number(x) + Number(width) <= 800));
  t.notMatch(svg, /NaN|undefined|Infinity/);
  t.match(svg, /beside naive ws<[^]*by transport beside its own WebSocket</);
  t.end();
});
