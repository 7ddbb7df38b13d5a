import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authenticator } from '../ports/access.js';
import type { Exchange, HttpAnswer } from '../ports/exchange.js';
import { isUnread, refusalAnswer, writeHead } from './answers.js';
import { caller } from './grants.js';
import { type GuardRules, guardOrigin } from './guard.js';

/** How long a client that is still sending may take to read why nobody listens any more. */
const LAST_WORDS_MS = 1000;

interface ExchangeParts {
  readonly authenticator: Authenticator;
  readonly guard: () => GuardRules;
}

/** A request for whoever answers it. */
export function exchangeOf(
  request: IncomingMessage,
  response: ServerResponse,
  { authenticator, guard }: ExchangeParts,
): Exchange {
  const [path = '/', query = ''] = (request.url ?? '/').split(/\?(.*)/s, 2);
  return {
    ...{ request, response, path, query: new URLSearchParams(query) },
    foreign: guardOrigin(request, guard()),
    caller: () => caller(request, authenticator),
    refusal: refusalAnswer,
    answer: (answer) => {
      if (isUnread(request)) answerEarly(request, response, answer);
      else writeHead(response, answer).end(answer.body);
    },
  };
}

/**
 * Answers a request that is still being sent. What comes is read for a moment and thrown away: a connection that is
 * closed over unread bytes is reset, and the answer with it.
 */
function answerEarly(request: IncomingMessage, response: ServerResponse, answer: HttpAnswer): void {
  writeHead(response, { ...answer, headers: { ...answer.headers, connection: 'close' } }).write(answer.body);
  const over = (): void => void response.end();
  const patience = setTimeout(over, LAST_WORDS_MS);
  request.once('close', () => clearTimeout(patience)).once('end', over);
  request.resume();
}
