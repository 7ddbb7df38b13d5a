import { BYSTANDER } from '../expand.js';
import { asText, splitAt } from '../model.js';
import type { Case, Step } from '../model.js';
import { bystandersOver } from '../plan.js';
import type { RecordBody, TimelineRecord } from '../timeline.js';
import type { Connection } from './connection.js';
import type { Run } from './run.js';

const NAMES: ReadonlySet<string> = new Set([BYSTANDER.first, BYSTANDER.second]);

/** How a pair came to be, and its connections. */
interface Pair {
  readonly room: string;
  readonly story: readonly TimelineRecord[];
  readonly connections: readonly Connection[];
}

/**
 * The bystanders of runs that follow each other, a pair for each transport. A pair that a run leaves whole, and to which nothing has come since,
 * stands by in the next one too: a server that harms it then harms whoever has been there for long.
 */
export class Bystanders {
  readonly #pairs = new Map<string, Pair>();

  /** The name of their room, where there is a pair for a run of this case. */
  roomFor(of: Case): string | undefined {
    const pair = this.#pairs.get(bystandersOver(of));
    if (pair?.connections.every(({ recorder }) => recorder?.quiet === true) === false) this.end(of);
    return this.#pairs.get(bystandersOver(of))?.room;
  }

  /**
   * Tells in the timeline of `run` how its bystanders came to be there, in place of a step that would open them; false
   * where they have to be opened.
   */
  retell(run: Run, { part, verb, fields }: Step): boolean {
    const pair = this.#pairs.get(bystandersOver(run.of));
    if (part !== 'bystander' || pair === undefined || run.setting.bystanders !== this) return false;
    if (verb === 'grant') return tell(run, storyOf(pair, `${asText(fields['as'])}.grant`));
    return verb === 'open' && adopt(run, pair, `${asText(fields['pipe'])}.pipe`);
  }

  /** The run is about to end, and its bystanders are well: they are not cut off. */
  keep(run: Run): void {
    const connections = run.all.filter(({ member }) => NAMES.has(member));
    const story = run.records.filter(isOpening);
    const room = run.ledger.run?.rooms[BYSTANDER.room]?.name ?? '';
    run.release(connections);
    for (const { recorder } of connections) recorder?.leave();
    this.#pairs.set(bystandersOver(run.of), { room, story, connections });
  }

  /** Sends the pair of a case away, or all. */
  end(of?: Case): void {
    const gone = of === undefined ? [...this.#pairs.keys()] : [bystandersOver(of)];
    for (const transport of gone) {
      for (const { driver } of this.#pairs.get(transport)?.connections ?? []) driver.cut();
      this.#pairs.delete(transport);
    }
  }
}

function tell(run: Run, story: readonly TimelineRecord[]): boolean {
  for (const record of story) run.append(bodyOf(record));
  return true;
}

function adopt(run: Run, pair: Pair, at: string): boolean {
  const before = pair.connections.find((each) => each.at === at);
  if (before?.recorder === undefined) return false;
  const conn = before.recorder.follow(run);
  run.keep({ ...before, conn });
  for (const record of storyOf(pair, at)) run.append({ ...bodyOf(record), conn } as RecordBody);
  return true;
}

const storyOf = ({ story }: Pair, at: string): readonly TimelineRecord[] =>
  story.filter((record) => 'at' in record && record.at === at);

function isOpening(record: TimelineRecord): boolean {
  if (record.type === 'http') return NAMES.has(splitAt(record.at).member);
  if (record.type !== 'socket' || !NAMES.has(splitAt(record.at).member)) return false;
  return record.event === 'opening' || record.event === 'open';
}

// Whoever reads the timeline is told that it was not now.
function bodyOf({ i: _i, t: _t, run: _run, ...body }: TimelineRecord): RecordBody {
  return { ...body, earlier: true } as RecordBody;
}
