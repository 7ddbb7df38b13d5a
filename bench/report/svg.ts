import { COMPANIES, type Company, PEERS, type ServerName } from '../plan.js';
import { short, times } from './figures.js';
import type { Cell, ResultRow, Results } from './results.js';

const WIDTH = 800;
const MARGIN = 16;
const NAMES = 100;
const FIGURES = 150;
const HEAD = 56;
const SECTION = 34;
const FOOT = 64;
const BAR = 13;
const STEP = 17;
const TITLE = 26;
const GAP = 8;

/** Ratios are shown on a logarithmic scale, so that twice as good and half as good are equally long. */
const TICKS = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];

const STYLE = `
  svg { --ink: #1f2328; --dim: #59636e; --line: #d1d9e0; --ground: #ffffff; }
  .porthouse { fill: #0969da; } .socket-io { fill: #9a6700; } .nats { fill: #1a7f37; } .mosquitto { fill: #8250df; }
  .tcp-line { fill: #0969da; } .tcp-frame { fill: #1a7f37; } .udp { fill: #8250df; } .form { fill: #9a6700; }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #f0f6fc; --dim: #9198a1; --line: #3d444d; --ground: #0d1117; }
    .porthouse { fill: #4493f8; } .socket-io { fill: #d29922; } .nats { fill: #3fb950; } .mosquitto { fill: #ab7df8; }
    .tcp-line { fill: #4493f8; } .tcp-frame { fill: #3fb950; } .udp { fill: #ab7df8; } .form { fill: #d29922; }
  }
  .ground { fill: var(--ground); } line { stroke: var(--line); } .one { stroke: var(--ink); }
  text { font: 12px system-ui, sans-serif; fill: var(--ink); paint-order: stroke; stroke: var(--ground); stroke-width: 4px; } .dim { fill: var(--dim); }
  .title { font-weight: 600; } .head { font-size: 16px; font-weight: 600; }`;

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
const cssName = (name: ServerName): string => name.replace('.', '-');

interface Mark {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly is?: string;
  readonly anchor?: 'start' | 'middle' | 'end';
}

function label({ x, y, text, is = '', anchor = 'start' }: Mark): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" class="${is}" text-anchor="${anchor}">${escaped(text)}</text>`;
}

/** Where a ratio lies; made for the ratios that there are. */
class Scale {
  readonly ticks: readonly number[];
  readonly #low: number;
  readonly #high: number;

  constructor(ratios: readonly number[]) {
    const least = Math.min(0.5, ...ratios);
    const most = Math.max(2, ...ratios);
    const low = TICKS.findLast((tick) => tick <= least) ?? least;
    const high = TICKS.find((tick) => tick >= most) ?? most;
    this.ticks = TICKS.filter((tick) => tick >= low && tick <= high);
    this.#low = Math.log(low);
    this.#high = Math.log(high);
  }

  x(ratio: number): number {
    const [left, right] = [MARGIN + NAMES + FIGURES / 2, WIDTH - MARGIN - FIGURES];
    return left + ((Math.log(ratio) - this.#low) / (this.#high - this.#low)) * (right - left);
  }
}

const hasRatio = (cell: object | undefined): cell is Cell & { ratio: number } =>
  cell !== undefined && 'ratio' in cell && cell.ratio !== null;

function bar(name: ServerName, cell: Cell & { ratio: number }, place: { scale: Scale; y: number }): string {
  const { scale, y } = place;
  const [one, end] = [scale.x(1), scale.x(cell.ratio)];
  const [left, right] = one < end ? [one, end] : [end, one];
  const text = `${short(cell.value)} · ${times(cell.ratio)}`;
  const box = `x="${left.toFixed(1)}" y="${y.toFixed(1)}" width="${(right - left).toFixed(1)}" height="${String(BAR)}"`;
  const behind = one < end ? ({ x: end + 5, anchor: 'start' } as const) : ({ x: end - 5, anchor: 'end' } as const);
  return [
    label({ x: MARGIN, y: y + BAR - 2, text: name, is: 'dim' }),
    `<rect class="${cssName(name)}" ${box} rx="2"/>`,
    label({ ...behind, y: y + BAR - 2, text }),
  ].join('\n');
}

const SAYS = {
  naive: { base: 'naive ws', head: 'Porthouse and its peers beside naive ws' },
  websocket: { base: 'a WebSocket', head: 'Porthouse by transport beside its own WebSocket' },
};
const saysOf = ({ base }: Pick<Company, 'base'>): (typeof SAYS)['naive'] =>
  SAYS[base === PEERS.base ? base : 'websocket'];

function group(row: ResultRow, { servers }: Company, place: { scale: Scale; top: number }): Drawn {
  const { scale, top } = place;
  const base = row.servers[row.base];
  const compared = hasRatio(base) ? ` (${saysOf(row).base}: ${short(base.value)} ${row.unit})` : '';
  const parts = [
    `<text x="${String(MARGIN)}" y="${String(top + 16)}"><tspan class="title">${escaped(row.title)}</tspan>` +
      `<tspan class="dim">${escaped(compared)}</tspan></text>`,
  ];
  let y = top + TITLE;
  for (const name of servers) {
    const cell = row.servers[name];
    if (name === row.base || !hasRatio(cell)) continue;
    parts.push(bar(name, cell, { scale, y }));
    y += STEP;
  }
  return { svg: parts.join('\n'), bottom: y + GAP };
}

/** Something drawn, and where it ends. */
interface Drawn {
  readonly svg: string;
  readonly bottom: number;
}

function axis(scale: Scale, { top, bottom, base }: { top: number; bottom: number; base: string }): string {
  const marks = scale.ticks.map((tick) => {
    const x = scale.x(tick).toFixed(1);
    const is = tick === 1 ? ' class="one"' : '';
    const rule = `<line${is} x1="${x}" y1="${String(top - 6)}" x2="${x}" y2="${String(bottom)}"/>`;
    return rule + label({ x: scale.x(tick), y: bottom + 15, text: `${String(tick)}x`, is: 'dim', anchor: 'middle' });
  });
  const says = `times as good as ${base}, logarithmic: right of 1x is faster or smaller`;
  return [...marks, label({ x: WIDTH / 2, y: bottom + 33, text: says, is: 'dim', anchor: 'middle' })].join('\n');
}

/** The rows of one company, on an axis of their own; nothing where there are none. */
function section(company: Company, rows: readonly ResultRow[], top: number): Drawn {
  const shown = rows.filter((row) => row.base === company.base);
  if (shown.length === 0) return { svg: '', bottom: top };
  const cells = shown.flatMap((row) => Object.values(row.servers));
  const scale = new Scale(cells.filter(hasRatio).map(({ ratio }) => ratio));
  const groups: string[] = [];
  const { base, head } = saysOf(company);
  const first = top + SECTION;
  let bottom = first;
  for (const row of shown) {
    const drawn = group(row, company, { scale, top: bottom });
    groups.push(drawn.svg);
    bottom = drawn.bottom;
  }
  const heading = label({ x: MARGIN, y: top + 14, text: head, is: 'head' });
  return { svg: [heading, axis(scale, { top: first, bottom, base }), ...groups].join('\n'), bottom: bottom + FOOT };
}

/** The ratios as grouped bars. Readable on light and on dark ground; it follows the reader's preference. */
export function plot({ rows, settings, versions, machine }: Results): string {
  const sections: string[] = [];
  let height = HEAD;
  for (const company of COMPANIES) {
    const drawn = section(company, rows, height);
    sections.push(drawn.svg);
    height = drawn.bottom;
  }
  const peers = PEERS.servers
    .filter((name) => versions[name] && name !== 'porthouse')
    .map((name) => `${name === PEERS.base ? 'ws' : name} ${versions[name] ?? ''}`);
  const native = machine.bufferutil === null ? 'without bufferutil' : `bufferutil ${machine.bufferutil}`;
  const says = `Rounds: ${String(settings.rounds)}, medians · Node ${machine.node} · ${peers.join(', ')} · ${native}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(WIDTH)} ${String(height)}" width="${String(WIDTH)}" height="${String(height)}" role="img" aria-label="Porthouse, its peers and its transports, as ratios">
<style>${STYLE}
</style>
<rect class="ground" width="100%" height="100%"/>
${label({ x: MARGIN, y: 28, text: says, is: 'dim' })}
${sections.join('\n')}
</svg>
`;
}
