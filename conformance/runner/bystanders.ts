import { BYSTANDER } from '../expand.js';
import { asText, splitAt } from '../model.js';
import type { Step } from '../model.js';
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
 * The bystanders of runs that follow each other. A pair that a run leaves whole, and to which nothing has come since,
 * stands by in the next one too: a server that harms it then harms whoever has been there for long.
 */
export class Bystanders {
  #pair: Pair | undefined;

  /** The name of their room, where there is a pair for the next run. */
  get room(): string | undefined {
    if (this.#pair?.connections.every(({ recorder }) => recorder?.quiet === true) === false) this.end();
    return this.#pair?.room;
  }

  /**
   * Tells in the timeline of `run` how its bystanders came to be there, in place of a step that would open them; false
   * where they have to be opened.
   */
  retell(run: Run, { part, verb, fields }: Step): boolean {
    if (part !== 'bystander' || this.#pair === undefined || run.setting.bystanders !== this) return false;
    if (verb === 'grant') return this.#tell(run, `${asText(fields['as'])}.grant`);
    return verb === 'open' && this.#adopt(run, `${asText(fields['pipe'])}.pipe`);
  }

  /** The run is about to end, and its bystanders are well: they are not cut off. */
  keep(run: Run): void {
    const connections = run.all.filter(({ member }) => NAMES.has(member));
    const story = run.records.filter(isOpening);
    const room = run.ledger.run?.rooms[BYSTANDER.room]?.name ?? '';
    run.release(connections);
    for (const { recorder } of connections) recorder?.leave();
    this.#pair = { room, story, connections };
  }

  /** Sends the pair away. */
  end(): void {
    for (const { driver } of this.#pair?.connections ?? []) driver.cut();
    this.#pair = undefined;
  }

  #tell(run: Run, at: string): boolean {
    for (const record of this.#storyOf(at)) run.append(bodyOf(record));
    return true;
  }

  #adopt(run: Run, at: string): boolean {
    const before = this.#pair?.connections.find((each) => each.at === at);
    if (before?.recorder === undefined) return false;
    const conn = before.recorder.follow(run);
    run.keep({ ...before, conn });
    for (const record of this.#storyOf(at)) run.append({ ...bodyOf(record), conn } as RecordBody);
    return true;
  }

  #storyOf(at: string): readonly TimelineRecord[] {
    return (this.#pair?.story ?? []).filter((record) => 'at' in record && record.at === at);
  }
}

function isOpening(record: TimelineRecord): boolean {
  if (record.type === 'http') return NAMES.has(splitAt(record.at).member);
  if (record.type !== 'socket' || !NAMES.has(splitAt(record.at).member)) return false;
  return record.event === 'opening' || record.event === 'open';
}

// Whoever reads the timeline is told that it was not now.
function bodyOf({ i: _i, t: _t, run: _run, ...body }: TimelineRecord): RecordBody {
  return { ...body, earlier: true } as RecordBody;
}
