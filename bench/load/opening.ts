import type { Dialect, Line, Role } from './dialect.js';
import { mqtt } from './dialects/mqtt.js';
import { nats } from './dialects/nats.js';
import { porthouse } from './dialects/porthouse.js';
import { porthouseForm } from './dialects/porthouse-form.js';
import { porthouseFrame, porthouseLine } from './dialects/porthouse-tcp.js';
import { porthouseUdp } from './dialects/porthouse-udp.js';
import { socketIo } from './dialects/socket-io.js';
import { webSocket } from './dialects/web-socket.js';
import type { Job } from './job.js';

const DIALECTS: Readonly<Record<Job['dialect'], Dialect>> = {
  ...{ porthouse, porthouseLine, porthouseFrame, porthouseUdp, porthouseForm },
  ...{ webSocket, socketIo, nats, mqtt },
};

/** Connections that are opened at the same time. */
const AT_A_TIME = 16;

/** Opens connections to one server. */
export class Opening {
  readonly dialect: Dialect;
  readonly #open: (role: Role) => Promise<Line>;
  #any = false;

  private constructor(dialect: Dialect, open: (role: Role) => Promise<Line>) {
    this.dialect = dialect;
    this.#open = open;
  }

  static async start({ dialect, url }: Pick<Job, 'dialect' | 'url'>): Promise<Opening> {
    return new Opening(DIALECTS[dialect], await DIALECTS[dialect].start(new URL(url)));
  }

  one(role: Role): Promise<Line> {
    this.#any = true;
    return this.#open(role);
  }

  async many(count: number, role: Role): Promise<Line[]> {
    const wires: Line[] = [];
    let left = count;
    if (!this.#any && left-- > 0) wires.push(await this.one(role)); // whatever the first has to make for the others
    const opener = async (): Promise<void> => {
      while (left-- > 0) wires.push(await this.#open(role));
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, opener));
    return wires;
  }
}
