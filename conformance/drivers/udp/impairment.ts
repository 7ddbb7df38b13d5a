/** What a bad network does to what is sent, in per cent of datagrams; `late`: by how many others it is overtaken at most. */
export interface Impairment {
  readonly seed: number;
  readonly lose?: number | undefined;
  readonly repeat?: number | undefined;
  readonly late?: number | undefined;
}

/** What becomes of one datagram. */
export interface Fate {
  readonly lost: boolean;
  readonly copies: number;
  /** So many that are sent later overtake it. */
  readonly behind: number;
}

const UNHARMED: Fate = { lost: false, copies: 1, behind: 0 };

/** Numbers from 0 up to 1 that look random and are the same for the same seed (mulberry32). */
function randomly(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A network that does the same harm in every run: what it does to the n-th datagram depends on seed and n alone. */
export class ImpairedNetwork {
  readonly #impairment: Impairment | undefined;
  readonly #random: () => number;
  readonly #held: { behind: number; readonly send: () => void }[] = [];
  #next: Fate | undefined;

  constructor(impairment: Impairment | undefined) {
    this.#impairment = impairment;
    this.#random = randomly(impairment?.seed ?? 0);
  }

  /** What will become of the next datagram; asking twice changes nothing. */
  peek(): Fate {
    this.#next ??= this.#draw();
    return this.#next;
  }

  /** Lets one datagram pass, late or never or twice. */
  carry(send: () => void): void {
    const { lost, copies, behind } = this.peek();
    this.#next = undefined;
    const sendAll = (): void => {
      for (let copy = 0; copy < copies; copy++) send();
    };
    if (!lost && behind > 0) this.#held.push({ behind: behind + 1, send: sendAll });
    else if (!lost) sendAll();
    this.#overtaken();
  }

  /** Lets everything go that was held back. */
  flush(): void {
    for (const { send } of this.#held.splice(0)) send();
  }

  #draw(): Fate {
    const { lose = 0, repeat = 0, late = 0 } = this.#impairment ?? {};
    if (this.#impairment === undefined) return UNHARMED;
    const lost = this.#random() * 100 < lose;
    const copies = this.#random() * 100 < repeat ? 2 : 1;
    return { lost, copies, behind: Math.floor(this.#random() * (late + 1)) };
  }

  #overtaken(): void {
    for (const each of [...this.#held]) {
      each.behind -= 1;
      if (each.behind > 0) continue;
      this.#held.splice(this.#held.indexOf(each), 1);
      each.send();
    }
  }
}
