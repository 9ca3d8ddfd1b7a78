import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, describe, expect, it } from 'vitest';
import type { EvccResponse } from '../../../engine/dispatch/evcc-request.ts';
import { createEvccApi } from '../../../gateway/http/api/evcc.ts';
import { createApiApp, describeError, problem } from '../../../gateway/http/api.ts';
import { createAuthenticate } from '../../../gateway/http/authenticate.ts';
import { observeRequests } from '../../../gateway/http/observe.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import type { Actor, Services } from '../../../gateway/services.ts';
import { createWorkers } from '../../../gateway/workers/pool.ts';
import { judge } from '../../bench/dispatch-evcc.bench.ts';

const KEY = `luna_${'k'.repeat(43)}`;
const FOREIGN = 'sponsor-token-of-the-cloud';
const CASES = join(process.env.LUNA_BENCH_DATA ?? '../shared/data', 'dispatch/evcc_cases');
const EVCC: Actor = { tenant: 'default', person: 'key:evcc', role: 'user', language: 'en' };

const asked: string[] = [];
let logged = '';
const log = pino(
  { level: 'trace' },
  {
    write(line: string) {
      logged += line;
    },
  },
);
const access = {
  bearer: async (token: string) => {
    asked.push(token);
    return token === KEY ? EVCC : null;
  },
  session: async () => null,
} as unknown as Services['access'];
const workers = createWorkers({ threads: 1 });
const app = createApiApp();
app.use(observeRequests({ log, metrics: createMetrics({ defaults: false }) }));
const config = { trusted_proxies: [], public_url: null, upload_max_bytes: 1e6 };
app.use(createAuthenticate({ access, secure: false, config }));
app.route('/', createEvccApi({ access, workers } as unknown as Services));
app.onError((error, c) => {
  const { status, detail, faults } = describeError(error);
  return problem(c, status, detail, faults);
});
const ask = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
  app.request(path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${FOREIGN}`, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
type Body = Omit<EvccResponse, 'status'> & { status: string; detail: string };
const bodyOf = async (answer: Response) => (await answer.json()) as Body;
afterAll(() => workers.close());

/** Two hours, one battery, a cheap first hour. */
const SMALL = {
  batteries: [
    { s_min: 0, s_max: 5000, s_initial: 1000, c_min: 0, c_max: 2000, d_max: 2000, p_a: 0.0003, charge_from_grid: true },
  ],
  time_series: { dt: [3600, 3600], gt: [500, 500], ft: [0, 0], p_N: [0.0001, 0.0004], p_E: [0, 0] },
  eta_c: 0.95,
  eta_d: 0.95,
};

describe('evcc’s optimizer on the box', () => {
  it('answers with the key in the address, and never looks at, keeps or logs the header that evcc sends along', async () => {
    const health = await ask(`/evcc/${KEY}/optimize/health`);
    expect([health.status, (await bodyOf(health)).status]).toEqual([200, 'healthy']);
    const answer = await ask(`/evcc/${KEY}/optimize/charge-schedule`, SMALL);
    expect(answer.status).toBe(200);
    const schedule = await bodyOf(answer);
    expect(schedule.status).toBe('Optimal');
    expect(schedule.batteries[0]?.charging_power[0]).toBeGreaterThan(0);
    expect(new Set(asked)).toEqual(new Set([KEY]));
    for (const secret of [FOREIGN, KEY]) expect(logged, secret).not.toContain(secret);
    expect(logged).toContain('"tenant_id":"default"');
  });

  it('refuses a key that nobody has, in words, and tells what a request lacks', async () => {
    for (const key of ['nobody', `luna_${'x'.repeat(43)}`]) {
      const answer = await ask(`/evcc/${key}/optimize/charge-schedule`, SMALL);
      expect([answer.status, (await bodyOf(answer)).detail]).toEqual([
        401,
        expect.stringContaining('key in the address'),
      ]);
    }
    const { p_N: _none, ...series } = SMALL.time_series;
    const answer = await ask(`/evcc/${KEY}/optimize/charge-schedule`, { ...SMALL, time_series: series });
    expect(answer.status).toBe(400);
    expect((await bodyOf(answer)).detail).toContain('p_N');
  });

  it.skipIf(!existsSync(CASES))(
    'answers every case file in its shape, with no more violations and no higher bill',
    async () => {
      for (const file of readdirSync(CASES).filter((name) => name.endsWith('.json'))) {
        const { request, expected_response } = JSON.parse(readFileSync(join(CASES, file), 'utf8'));
        const answer = await ask(`/evcc/${KEY}/optimize/charge-schedule`, request);
        expect(answer.status, file).toBe(200);
        const schedule = await bodyOf(answer);
        expect(Object.keys(schedule).sort(), file).toEqual(
          expect.arrayContaining(Object.keys(expected_response).sort()),
        );
        const [own, published] = [
          judge(request, schedule as unknown as EvccResponse),
          judge(request, expected_response),
        ];
        expect(own.violation_Wh, file).toBeLessThanOrEqual(published.violation_Wh + 1);
        if (own.violation_Wh > published.violation_Wh - 1)
          expect(own.bill, file).toBeLessThanOrEqual(published.bill + 1e-4 * Math.max(1, Math.abs(published.bill)));
      }
    },
    60_000,
  );
});
