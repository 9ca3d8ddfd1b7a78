import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryBus } from '../../../connectors/bus/memory.ts';
import type { MeterPoint } from '../../../engine/model/site.ts';
import { HOUR_MS, instantOf, localTime, SLOT_MS } from '../../../engine/model/time.ts';
import { createRandom } from '../../../engine/random.ts';
import { alertWords } from '../../../gateway/alert-words.ts';
import { createAlertService } from '../../../gateway/services/alerts.ts';
import { type AnomalyDeps, type AnomalyService, createAnomalyService } from '../../../gateway/services/anomalies.ts';
import type { Actor } from '../../../gateway/services.ts';
import look, { type AnomalyTask } from '../../../gateway/workers/anomalies.ts';
import { openTestDatabase, silent, type TestDatabase } from '../../setup/database.ts';

const TZ = 'Europe/Berlin';
const FROM = instantOf(TZ, 2026, 1, 5);
const point = { id: 'hall', name: 'Hall 3', role: 'load', virtual: null, device: 'd' } as MeterPoint;
const DAY_MS = 24 * HOUR_MS;
/** Wednesday of the tenth week, 9 in the morning. */
const BROKEN = FROM + 65 * DAY_MS + 9 * HOUR_MS;

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test.close());

describe('what is unusual about a meter', () => {
  let tenant: string;
  let now_ms: number;
  let changed: (at_ms: number, kWh: number) => number;
  let service: AnomalyService;
  let alerts: ReturnType<typeof createAlertService>;
  let deps: AnomalyDeps;
  let count = 0;

  beforeEach(async () => {
    tenant = `unusual-${Date.now().toString(36)}-${count++}`;
    await test.db.asSystem((sql) => sql('insert into tenant (id, name) values ($1, $1)', [tenant]));
    now_ms = BROKEN + 12 * HOUR_MS;
    changed = (at_ms, kWh) => (at_ms >= BROKEN ? kWh + 2 : kWh);
    const clock = { now: () => now_ms };
    alerts = createAlertService({ db: test.db, clock, bus: createMemoryBus({ log: silent }) });
    deps = {
      ...{ clock, log: silent, db: test.db, alerts },
      site: { get: () => ({ time_zone: TZ, currency: 'EUR' }), tenants: () => [tenant] },
      meters: { list: () => [point] },
      jobs: { define: () => {}, schedule: () => {} },
      workers: { run: async (_: string, input: AnomalyTask) => look(input) },
      series: { list: async () => [{ meter: 'hall', quantity: 'import_kWh' }], slots: { read } },
      sitePrices: async (_: string, from_ms: number, to_ms: number) => ({
        currency: 'EUR',
        columns: columnsOf(from_ms, to_ms, () => 0.25),
      }),
    } as unknown as AnomalyDeps;
    service = createAnomalyService(deps);
  });

  const columnsOf = (from_ms: number, to_ms: number, of: (at_ms: number) => number) => {
    const at_ms = Float64Array.from({ length: (to_ms - from_ms) / SLOT_MS }, (_, k) => from_ms + k * SLOT_MS);
    return { at_ms, values: at_ms.map(of), quality: new Int32Array(at_ms.length) };
  };
  /** Busy by day, with some noise that is the same whenever it is read. */
  const usual = (at_ms: number) => {
    const { hour } = localTime(at_ms, TZ);
    return (hour >= 7 && hour < 18 ? 5 : 1) * (1 + 0.08 * createRandom(at_ms / SLOT_MS)());
  };
  const read = async (_: string, { from_ms, to_ms }: { from_ms: number; to_ms: number }) =>
    columnsOf(from_ms, to_ms, (at_ms) => (at_ms < FROM ? NaN : changed(at_ms, usual(at_ms))));
  const ada = (): Actor => ({ tenant, person: 'ada', role: 'user', language: 'en' });
  const open = async () => (await alerts.list(tenant, { open_only: true })).filter(({ kind }) => kind === 'anomaly');

  it('is told once: since when, how much energy and money, and what is likely behind it', async () => {
    await service.round(tenant);
    const [first] = await service.list(tenant, { open_only: true });
    await service.round(tenant);
    const [found, ...more] = await service.list(tenant, { open_only: true });
    expect(more).toEqual([]);
    expect(found!.id).toBe(first!.id);
    expect(Math.abs(found!.since_ms - BROKEN)).toBeLessThanOrEqual(2 * HOUR_MS);
    // 8 kWh more in each of 12 hours.
    expect(found!.energy_kWh).toBeGreaterThan(80);
    expect(found!.energy_kWh).toBeLessThan(112);
    expect(found!.amount).toBeCloseTo(found!.energy_kWh! * 0.25, 6);
    expect(found!.causes[0]!.cause).toBe('left_on');
    const [alert] = await open();
    const { text } = alertWords(
      { ...deps, meters: { get: () => point, ofDevice: () => [] }, devices: { get: () => null } } as never,
      tenant,
      alert!,
      'en',
      now_ms,
    );
    expect(text).toMatch(
      /^Hall 3 is unusual since .*: .*kWh more than forecast \(.*€?.*\)\. Likeliest: something was left on\.$/,
    );
  });

  it('is over when the meter is as before, and stays readable', async () => {
    await service.round(tenant);
    expect(await open()).toHaveLength(1);
    now_ms = BROKEN + 4 * DAY_MS;
    changed = (at_ms, kWh) => (at_ms >= BROKEN && at_ms < BROKEN + 12 * HOUR_MS ? kWh + 2 : kWh);
    await service.round(tenant);
    expect(await service.list(tenant, { open_only: true })).toEqual([]);
    expect(await open()).toEqual([]);
    const [kept] = await service.list(tenant);
    expect(kept!.ended_ms).toBeLessThan(now_ms);
  });

  it('is over at once when a person expected it, in the audit log, and is not told again', async () => {
    await service.round(tenant);
    const [found] = await service.list(tenant, { open_only: true });
    const judged = await service.judge(ada(), found!.id, 'expected');
    expect(judged).toMatchObject({ verdict: 'expected', verdict_by: 'ada' });
    expect(await open()).toEqual([]);
    await service.round(tenant);
    expect(await open()).toEqual([]);
    const acts = await test.db.asTenant(tenant, (sql) => sql<{ act: string }>('select act from audit'));
    expect(acts.map(({ act }) => act)).toContain('judge anomaly');
  });

  it('of another organisation is nobody else’s', async () => {
    await service.round(tenant);
    const [found] = await service.list(tenant, { open_only: true });
    const stranger: Actor = { ...ada(), tenant: 'default' };
    await expect(service.judge(stranger, found!.id, 'real')).rejects.toThrow('There is no such anomaly.');
    await expect(service.get('default', found!.id)).rejects.toThrow('There is no such anomaly.');
    expect((await service.get(tenant, found!.id)).verdict).toBeNull();
  });

  it('needs two weeks of a meter, and is nothing where none was measured', async () => {
    const before = changed;
    changed = (at_ms, kWh) => (at_ms < BROKEN - 10 * DAY_MS ? NaN : before(at_ms, kWh));
    await service.round(tenant);
    changed = () => NaN;
    await service.round(tenant);
    expect(await service.list(tenant)).toEqual([]);
  });
});
