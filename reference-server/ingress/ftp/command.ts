import type { Dialogue } from './dialogue.js';

/** One command: what must be there before it, and what it does. */
export interface Command {
  /** `login`: PASS has been accepted. */
  readonly needs: 'nothing' | 'login';
  readonly run: (dialogue: Dialogue, argument: string) => void | Promise<void>;
}

export type Commands = Readonly<Record<string, Command>>;
