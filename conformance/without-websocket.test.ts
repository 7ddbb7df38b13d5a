import { test } from 'tap';
import { soundCases } from './choice.js';
import { judgeTimeline } from './judge-command.js';
import { jsonResponse, withJson } from './mutants/helpers.js';
import { isObject } from './mutants/json.js';
import type { JsonObject } from './mutants/json.js';
import { startProxy } from './mutants/wire/proxy.js';
import { startReference } from './prove/server.js';
import { byRun, run } from './testing/runs.js';

/** `endpoints` by kind of connection, without those over WebSocket. */
function withoutWebSocket(json: JsonObject): JsonObject {
  const { endpoints, profiles } = json;
  const kinds = Object.entries(isObject(endpoints) ? endpoints : {}).map(([kind, of]) => {
    const { websocket: _websocket, ...others } = isObject(of) ? of : {};
    return [kind, isObject(of) ? others : of] as const;
  });
  return {
    ...json,
    ...(isObject(endpoints) ? { endpoints: Object.fromEntries(kinds) } : {}),
    ...(Array.isArray(profiles) ? { profiles: profiles.filter((name) => name !== 'websocket') } : {}),
  };
}

const isUpgrade = ([name]: readonly [string, string]): boolean => name.toLowerCase() === 'upgrade';

test('a server without WebSocket is tested over TCP, as far as cases are not about WebSocket', async (t) => {
  const good = await startReference();
  const proxy = await startProxy(good.url, {
    alter: () => ({
      onHttpRequest: (asked) => (asked.headers.some(isUpgrade) ? jsonResponse(404, {}) : asked),
      onHttpResponse: (answer) => (answer.json ? withJson(answer, withoutWebSocket(answer.json)) : answer),
    }),
  });
  const cases = soundCases({
    case: ['delivery/unaltered#text', 'delivery/any-transport', 'frames/fragments', 'ftp/store'],
  });
  const { report, records } = await run({ base: proxy.url, cases, seed: 3 });
  await proxy.stop();
  await good.stop();
  const verdictsOf = (file: string): string[] => [
    ...new Set(report.cases.filter(({ id }) => id.startsWith(file)).map(({ verdict }) => verdict)),
  ];
  t.same(verdictsOf('canary/over-tcp'), ['PASS']);
  t.same(verdictsOf('canary/opening'), [], 'which is no canary for such a server');
  t.same(verdictsOf('delivery/'), ['PASS']);
  t.same(verdictsOf('ftp/'), ['PASS']);
  t.same(verdictsOf('frames/'), ['NOT_APPLICABLE']);
  t.same(report.summary.faults, 0);
  const again = judgeTimeline(byRun(records), cases);
  t.same(
    again.requirements.map(({ id, verdict }) => [id, verdict]),
    report.requirements.map(({ id, verdict }) => [id, verdict]),
    'and whoever judges the timeline later says the same',
  );
});
