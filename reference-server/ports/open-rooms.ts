import type { Result } from './refusal.js';

/** A room as a stranger may know it who may send into it. */
export interface OpenRoom {
  readonly name: string;
  readonly format: 'any' | 'text' | 'json' | 'binary';
  readonly boundaries: 'kept' | 'ignored';
  readonly maxMessageBytes: number;
}

/** The rooms into which anonymous clients may send. */
export interface OpenRooms {
  /** By name, at most so many; whether there are more. */
  list(most: number): { readonly rooms: readonly OpenRoom[]; readonly more: boolean };
  /** One of them, or what a stranger is told who asks for a session in it to send. */
  look(name: string): Result<OpenRoom>;
}
