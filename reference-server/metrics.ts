import { Gauge, Registry, collectDefaultMetrics } from 'prom-client';

/** What the router tells of itself. */
export interface Observed {
  readonly sessions: number;
  readonly rooms: number;
}

/** What Prometheus is told: of the process what it watches from now on, and of the router what there is at the time. */
export function createMetrics(observed: Observed): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, read: () => number): void => {
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        collect() {
          this.set(read());
        },
      }),
    );
  };
  gauge('porthouse_sessions', 'Sessions that are alive', () => observed.sessions);
  gauge('porthouse_rooms', 'Rooms that exist', () => observed.rooms);
  return registry;
}
