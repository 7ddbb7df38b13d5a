import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Account } from './access.js';
import type { Refusal, Result } from './refusal.js';

/** A refusal with what else its status calls for. */
export type HttpRefusal = Refusal & { readonly headers?: Readonly<Record<string, string>> };

/** An answer as it is written; its length and what every answer has are added. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request over HTTP whose Host is one of the server's; somebody has to answer it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Where it came from, if a browser says so, is no place to come from (WS-6). */
  readonly foreign: Refusal | null;
  /** Who sends it: an account, anonymous without a token, refused with a bad one (OPEN-7). */
  caller(): Promise<Result<{ readonly account: Account }>>;
  /** A refusal in the form that every HTTP refusal has (HTTP-1), with further members of the body. */
  refusal(refusal: HttpRefusal, more?: object): HttpAnswer;
  /** Writes an answer, also to a request that has not come to its end: the rest of it is not looked at. */
  answer(answer: HttpAnswer): void;
}

/** Whoever answers requests at some paths. */
export interface ExchangeHandler {
  handles(path: string): boolean;
  serve(exchange: Exchange): Promise<void>;
}
