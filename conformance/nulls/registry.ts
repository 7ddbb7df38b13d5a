import { acceptAll, parrot } from './accept-all.js';
import { halfNulls } from './half.js';
import type { NullServer } from './null-server.js';
import { constant, dead, echo, rejectAll, silent } from './plain.js';

/** Every null server, from the emptiest to the most obliging, then those that are null over some transports only. */
export const nullServers: readonly NullServer[] = [
  dead,
  silent,
  constant,
  echo,
  rejectAll,
  acceptAll,
  parrot,
  ...halfNulls,
];
