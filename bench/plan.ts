import type { Job } from './load/job.js';

/** Servers that are compared with each other. */
export type PeerName = 'porthouse' | 'naive' | 'socket.io' | 'nats' | 'mosquitto';
/** Porthouse by one of its transports. */
export type TransportName = 'websocket' | 'tcp-line' | 'tcp-frame' | 'udp' | 'form';
export type ServerName = PeerName | TransportName;

/** Those that are measured side by side, in the order of the table. */
export interface Company {
  readonly servers: readonly ServerName[];
  /** All ratios are to this one. */
  readonly base: ServerName;
}

export const PEERS = {
  servers: ['porthouse', 'naive', 'socket.io', 'nats', 'mosquitto'],
  base: 'naive',
} as const satisfies Company;

export const TRANSPORTS = {
  servers: ['websocket', 'tcp-line', 'tcp-frame', 'udp', 'form'],
  base: 'websocket',
} as const satisfies Company;

export const COMPANIES: readonly Company[] = [PEERS, TRANSPORTS];
export const SERVERS: readonly ServerName[] = [...PEERS.servers, ...TRANSPORTS.servers];

/** How long and how often; `members` and `held` replace those of every row. */
export interface Settings {
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly ms: number;
  readonly paceMs: number;
  /** Of messages at a fixed rate: at so few of them the compiler of a server takes longest to come to rest. */
  readonly paceWarmUpMs: number;
  readonly opens: number;
  readonly held: number;
  readonly heldBefore: number;
  readonly members?: number;
}

// A server shares its core with its compiler: what is measured is a server that has run for a while.
export const FULL: Settings = {
  rounds: 3,
  warmUpMs: 3000,
  ms: 1000,
  paceMs: 3000,
  paceWarmUpMs: 8000,
  opens: 2000,
  held: 2000,
  heldBefore: 2000,
};

export const QUICK: Settings = {
  rounds: 1,
  warmUpMs: 150,
  ms: 300,
  paceMs: 500,
  paceWarmUpMs: 500,
  opens: 300,
  held: 400,
  heldBefore: 100,
};

/** Whether the server has the package that unmasks in native code; `as installed` is what its own documentation says. */
type Unmasking = 'as installed' | 'javascript' | 'native';

/** One figure of one measurement. */
export interface Figure {
  readonly id: string;
  readonly title: string;
  /** The title where there is little room. */
  readonly short: string;
  readonly unit: 'deliveries/s' | 'messages/s' | 'opens/s' | 'ms' | 'KiB';
  readonly better: 'more' | 'less';
}

/** One measurement, made in every round with every one of its servers. */
export interface Row extends Company {
  readonly name: string;
  readonly figures: readonly Figure[];
  readonly unmasking: Unmasking;
  /** Whether it is memory that is measured: servers on Node then have a small young generation of fixed size. */
  readonly memory?: true;
  readonly job: (settings: Settings) => Omit<Job, 'dialect' | 'url' | 'serverPid'>;
}

const NOTHING = { members: 1, payloadBytes: 128, window: 1, rate: 1, before: 1, siblings: false } as const;
const FAN_OUT_WINDOW = 100;
const PACED = { members: 100, rate: 250 };
const AT_25K = 'Delay at 25,000 deliveries/s to 100 members';

/** Ids of the rows of transports begin with this. */
const prefix = (company: Company): string => (company === TRANSPORTS ? 'transports-' : '');

function fanOut(members: number, company: Company): Row {
  const id = `${prefix(company)}fan-out-${String(members)}`;
  return {
    ...company,
    name: id,
    figures: [
      {
        id,
        title: `Fan-out to ${String(members)} members, 128 B`,
        short: `fan-out ${String(members)}, 128 B`,
        unit: 'deliveries/s',
        better: 'more',
      },
    ],
    unmasking: 'as installed',
    job: ({ warmUpMs, ms, members: fewer }) => ({
      ...{ ...NOTHING, task: 'window', window: FAN_OUT_WINDOW, warmUpMs, ms },
      members: fewer ?? members,
    }),
  };
}

interface Relay {
  readonly id: string;
  readonly title: string;
  readonly short: string;
  readonly payloadBytes: number;
  readonly window: number;
  readonly company: Company;
  readonly unmasking?: Unmasking;
}

function relay({ payloadBytes, window, company, unmasking = 'as installed', ...figure }: Relay): Row {
  const id = `${prefix(company)}${figure.id}`;
  return {
    ...company,
    name: id,
    figures: [{ ...figure, id, unit: 'messages/s', better: 'more' }],
    unmasking,
    job: ({ warmUpMs, ms }) => ({ ...NOTHING, task: 'window', payloadBytes, window, warmUpMs, ms }),
  };
}

/** With a quarter of it, whatever needs less than 25 us for a message waits for the load generator's next look. */
const LARGE = { payloadBytes: 16 * 1024, window: 256 };
const SMALL = { id: 'relay-128', title: 'Relay 1:1, 128 B', short: 'relay 128 B', payloadBytes: 128, window: 2000 };
const OVER_WS: Company = { servers: ['porthouse', 'naive'], base: 'naive' };

function latency(company: Company): Row {
  const name = `${prefix(company)}latency`;
  return {
    ...company,
    name,
    figures: [
      { id: `${name}-p50`, title: `${AT_25K}, p50`, short: 'at 25k/s: p50 ms', unit: 'ms', better: 'less' },
      { id: `${name}-p99`, title: `${AT_25K}, p99`, short: 'at 25k/s: p99 ms', unit: 'ms', better: 'less' },
    ],
    unmasking: 'as installed',
    job: ({ paceWarmUpMs: warmUpMs, paceMs, members }) => ({
      ...{ ...NOTHING, ...PACED, task: 'pace', window: FAN_OUT_WINDOW, warmUpMs, ms: paceMs },
      members: members ?? PACED.members,
    }),
  };
}

function memory(figure: Pick<Figure, 'id' | 'title' | 'short'>, siblings: boolean): Row {
  return {
    name: figure.id,
    figures: [{ ...figure, unit: 'KiB', better: 'less' }],
    ...(siblings ? OVER_WS : PEERS),
    unmasking: 'as installed',
    memory: true,
    job: ({ held, heldBefore }) => ({
      ...{ ...NOTHING, task: 'hold', warmUpMs: 0, ms: 0 },
      ...{ members: held, before: heldBefore, siblings },
    }),
  };
}

const opens: Row = {
  ...PEERS,
  name: 'opens',
  figures: [
    { id: 'opens', title: 'Connections opened, grants included', short: 'opens/s', unit: 'opens/s', better: 'more' },
  ],
  unmasking: 'as installed',
  job: ({ opens: members, heldBefore: before }) => ({ ...NOTHING, task: 'open', members, before, warmUpMs: 0, ms: 0 }),
};

/** Everything that is measured, in the order of the table. */
export const ROWS: readonly Row[] = [
  fanOut(100, PEERS),
  fanOut(500, PEERS),
  latency(PEERS),
  relay({ ...SMALL, company: PEERS }),
  relay({ ...LARGE, id: 'relay-16k', title: 'Relay 1:1, 16 KiB', short: 'relay 16 KiB', company: PEERS }),
  relay({
    ...LARGE,
    id: 'relay-16k-native',
    title: 'Relay 1:1, 16 KiB, both with bufferutil',
    short: '  both bufferutil',
    company: OVER_WS,
    unmasking: 'native',
  }),
  relay({
    ...LARGE,
    id: 'relay-16k-js',
    title: 'Relay 1:1, 16 KiB, both without bufferutil',
    short: '  both without',
    company: OVER_WS,
    unmasking: 'javascript',
  }),
  memory({ id: 'idle', title: 'Memory of an idle connection', short: 'KiB, idle' }, false),
  memory({ id: 'idle-sibling', title: 'Memory of an idle pipe with its sibling', short: '  with sibling' }, true),
  opens,
  fanOut(100, TRANSPORTS),
  latency(TRANSPORTS),
  relay({ ...SMALL, company: TRANSPORTS }),
];
