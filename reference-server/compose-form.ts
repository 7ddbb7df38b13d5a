import type { Config } from './config/config.js';
import { FormIngress, type FormServices, MESSAGES_TEMPLATE, ROOMS_PATH } from './ingress/form/ingress.js';
import type { ExchangeHandler } from './ports/exchange.js';

/** Where a person begins. */
export const FORM_PAGE = ROOMS_PATH;

/** A way in for messages that is served over HTTP, and has no connections of its own. */
export interface Forms {
  readonly transport: string;
  /** Where forms are posted, by room. */
  readonly pipe: string;
  readonly handler: ExchangeHandler;
}

/** The way in for web forms; none where the operator has switched it off. */
export function formsOf(config: Config, services: FormServices): readonly Forms[] {
  if (!config.form) return [];
  const naked = config.naked.filter((each) => each.transport === 'form');
  return [{ transport: 'form', pipe: MESSAGES_TEMPLATE, handler: new FormIngress({ ...services, naked }) }];
}
