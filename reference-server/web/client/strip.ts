import { Axis } from './axis.js';
import { make } from './dom.js';

/** Where an item stands: in one of the directions of the pipe, or on one of the sibling's channels. */
export type Lane = 'sent' | 'received' | 'command' | 'debug' | 'note';

/** A place in the pipe that something refers to. */
export interface Place {
  readonly epoch: number;
  readonly dir: string;
  readonly n: number;
}

export interface Item {
  readonly lane: Lane;
  readonly title: string;
  readonly detail?: string;
  /** Decides the look: a kind of message, or what an event is about. */
  readonly tone: string;
  /** The message that this item is. */
  readonly is?: Place;
  /** The message that this item speaks of. */
  readonly about?: Place;
}

const keyOf = ({ epoch, dir, n }: Place): string => `${String(epoch)}/${dir}/${String(n)}`;

const MOST_ITEMS = 400;
/** Time is drawn as distance, but no silence is longer than the screen. */
const PIXELS_PER_MS = 0.04;
const LONGEST_GAP = 120;
const TELLING_GAP_MS = 900;
const SVG = 'http://www.w3.org/2000/svg';

/**
 * The pipe and its sibling on one axis of time, the messages on the one side and what is said of them on the other. What
 * speaks of a place in the pipe is joined to it.
 */
export class Strip {
  readonly #root: HTMLElement;
  readonly #list: HTMLElement;
  readonly #lines: SVGSVGElement;
  readonly #places = new Map<string, HTMLElement>();
  readonly #joined = new Map<HTMLElement, { readonly to: HTMLElement; readonly line: SVGPathElement }>();
  readonly #axis: Axis;
  #last = 0;
  #start = 0;
  #told = 0;
  #drawn = false;

  constructor(root: HTMLElement) {
    this.#root = root;
    this.#list = make('ol', { class: 'items', 'aria-label': 'Messages and events, in the order in which they came' });
    this.#lines = document.createElementNS(SVG, 'svg');
    this.#lines.setAttribute('aria-hidden', 'true');
    this.#list.append(this.#lines);
    root.append(this.#list);
    this.#axis = new Axis(this.#list, () => this.#draw());
  }

  clear(): void {
    this.#list.replaceChildren(this.#lines);
    this.#lines.replaceChildren();
    this.#axis.clear();
    this.#places.clear();
    this.#joined.clear();
    this.#last = 0;
  }

  /** Adds what has just happened, at the end of the axis. */
  add(item: Item): HTMLElement {
    const now = performance.now();
    if (this.#last === 0) [this.#start, this.#last] = [now, now];
    const follows = this.#atEnd();
    const pause = now - this.#last;
    const element = this.#element(item);
    this.#list.append(element);
    const gap = Math.min(LONGEST_GAP, Math.round(pause * PIXELS_PER_MS));
    this.#axis.place({ element, lane: item.lane, gap });
    if (pause === 0 || now - this.#told > TELLING_GAP_MS) this.#tellTime(now);
    if (item.is) this.#places.set(keyOf(item.is), element);
    const to = item.about && this.#places.get(keyOf(item.about));
    if (to) this.#join(element, to, item.tone);
    this.#last = now;
    this.#prune();
    if (follows) this.#showEnd();
    this.#draw();
    return element;
  }

  /** A line across the pipe: what is behind it goes by other settings. */
  boundary(direction: 'sent' | 'received', text: string): void {
    this.add({ lane: direction, title: text, tone: 'boundary' });
  }

  #element({ lane, title, detail, tone }: Item): HTMLElement {
    const element = make('li', { class: `item ${lane} ${tone}` }, make('span', { class: 'title' }, title));
    if (detail !== undefined && detail !== '') element.append(make('span', { class: 'detail', title: detail }, detail));
    return element;
  }

  #tellTime(now: number): void {
    this.#told = now;
    const text = `${((now - this.#start) / 1000).toFixed(1)} s`;
    const element = make('li', { class: 'time', 'aria-hidden': 'true' }, text);
    this.#list.append(element);
    this.#axis.place({ element, lane: 'time', gap: 0 });
  }

  #join(from: HTMLElement, to: HTMLElement, tone: string): void {
    const line = document.createElementNS(SVG, 'path');
    line.setAttribute('class', tone);
    this.#lines.append(line);
    this.#joined.set(from, { to, line });
    to.classList.add('spoken-of');
  }

  #prune(): void {
    while (this.#list.childElementCount > MOST_ITEMS) {
      const first = this.#lines.nextElementSibling;
      if (!(first instanceof HTMLElement)) return;
      this.#joined.get(first)?.line.remove();
      this.#joined.delete(first);
      first.remove();
    }
    for (const [key, element] of this.#places) if (!element.isConnected) this.#places.delete(key);
  }

  #atEnd(): boolean {
    const { scrollLeft, scrollWidth, clientWidth, scrollTop, scrollHeight, clientHeight } = this.#root;
    return scrollLeft + clientWidth > scrollWidth - 80 && scrollTop + clientHeight > scrollHeight - 80;
  }

  #showEnd(): void {
    this.#root.scrollTo({ left: this.#root.scrollWidth, top: this.#root.scrollHeight });
  }

  /** Once for everything that a frame of the screen brings. */
  #draw(): void {
    if (this.#drawn) return;
    this.#drawn = true;
    requestAnimationFrame(() => {
      this.#drawn = false;
      this.#lines.setAttribute('width', String(this.#list.scrollWidth));
      this.#lines.setAttribute('height', String(this.#list.scrollHeight));
      for (const [from, { to, line }] of this.#joined) {
        if (to.isConnected) line.setAttribute('d', this.#path(from, to));
        else line.remove();
      }
    });
  }

  #path(from: HTMLElement, to: HTMLElement): string {
    const [a, b] = [from.getBoundingClientRect(), to.getBoundingClientRect()];
    const base = this.#list.getBoundingClientRect();
    if (this.#axis.upright) {
      const [x1, y1] = [a.left - base.left, a.top + a.height / 2 - base.top];
      const [x2, y2] = [b.right - base.left, b.top + b.height / 2 - base.top];
      const middle = (x1 + x2) / 2;
      return `M${String(x1)} ${String(y1)}C${String(middle)} ${String(y1)} ${String(middle)} ${String(y2)} ${String(x2)} ${String(y2)}`;
    }
    const [x1, y1] = [a.left + a.width / 2 - base.left, a.top - base.top];
    const [x2, y2] = [b.left + b.width / 2 - base.left, b.bottom - base.top];
    const middle = (y1 + y2) / 2;
    return `M${String(x1)} ${String(y1)}C${String(x1)} ${String(middle)} ${String(x2)} ${String(middle)} ${String(x2)} ${String(y2)}`;
  }
}
