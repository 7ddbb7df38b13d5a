import type { Command } from './command.js';
import { LOGIN } from './login.js';
import { ROOMS } from './rooms.js';
import { SETTINGS } from './settings.js';
import { TRANSFERS } from './transfers.js';

/** Every command that there is; all others are 502 (FTP-2). */
export const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries({ ...LOGIN, ...SETTINGS, ...ROOMS, ...TRANSFERS }),
);
