/** A simulation of past days as a job: begun, followed, found, refused in words; the same on the command line. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SLOT_MS } from '../../../engine/model/time.ts';
import { createSimulations, type SimulationDeps } from '../../../gateway/services/simulations.ts';
import type { Services } from '../../../gateway/services.ts';
import { simulateMonths } from '../../../gateway/simulate-commands.ts';
import simulateTask, { type SimulateTask } from '../../../gateway/workers/simulate-site.ts';
import { openTestDatabase, silent, type TestDatabase } from '../../setup/database.ts';
import { admin, setUp } from './plans-rig.ts';

/** Local days of June 2026 that lie behind. */
const DAYS = 5;
const FROM = Date.parse('2026-05-31T22:00Z');
const ASKED = { from: '2026-06', to: '2026-06', capacity_kWh: 40, power_kW: 20 };

describe('simulations', () => {
  let test: TestDatabase;
  let box: ReturnType<typeof setUp>;
  let simulations: ReturnType<typeof createSimulations>;
  let job: (asked: { tenant: string; id: string }) => Promise<void>;
  let measured = true;
  const told: [number, number | null][] = [];

  beforeAll(async () => {
    test = await openTestDatabase();
    box = setUp(test);
    await box.found();
    const slots = (from_ms: number, to_ms: number) =>
      Float64Array.from({ length: Math.max(0, (to_ms - from_ms) / SLOT_MS) }, (_, t) => from_ms + t * SLOT_MS);
    const hour = (at_ms: number) => (at_ms / 3_600_000 + 2) % 24;
    const load_W = (at_ms: number) => (hour(at_ms) >= 8 && hour(at_ms) < 18 ? 30_000 : 6000);
    const columns = (from_ms: number, to_ms: number, of: (at_ms: number) => number) => {
      const at_ms = slots(from_ms, to_ms);
      return { at_ms, values: at_ms.map(of), quality: new Int32Array(at_ms.length) };
    };
    const { bus, site, tariffs, meters, series } = box;
    const deps: SimulationDeps = {
      ...{ db: test.db, log: silent, bus, site, tariffs, meters, series },
      clock: { now: () => FROM + DAYS * 86_400_000 },
      data: {
        balance: async (_tenant, _what, from_ms, to_ms) =>
          columns(from_ms, to_ms, measured ? load_W : () => Number.NaN),
      },
      forecasts: { past: async (_tenant, _what, from_ms, to_ms) => columns(from_ms, to_ms, load_W) },
      prices: {
        context: async () => ({ isHoliday: () => false, market: () => undefined }),
        slots: async (_tenant, from_ms, to_ms) => {
          const at_ms = slots(from_ms, to_ms);
          return {
            ...{ currency: 'EUR', slot_ms: SLOT_MS, at_ms, missing: [], meter_per_kWh: {} },
            co2_g_per_kWh: at_ms.map(() => Number.NaN),
            import_per_kWh: at_ms.map((at) => (hour(at) < 6 ? 0.119 : 0.357)),
            export_per_kWh: at_ms.map(() => 0),
            import_limit_W: at_ms.map(() => Number.POSITIVE_INFINITY),
            export_limit_W: at_ms.map(() => Number.POSITIVE_INFINITY),
          };
        },
      },
      workers: {
        run: async <Output>(_task: string, input: unknown) => simulateTask(input as SimulateTask) as Output,
      },
      jobs: {
        define: (_queue, work) => {
          job = work as unknown as typeof job;
        },
        send: async () => {},
      },
    };
    simulations = createSimulations(deps);
    simulations.start();
    bus.subscribe((event) => {
      if (event.type === 'progress') told.push([event.done, event.total]);
    });
  });
  afterAll(() => test?.close());

  it('run as a job with progress, and find bills, capture, cycles and peak of each policy', async () => {
    const id = await simulations.begin(admin, ASKED);
    expect(await simulations.get('default', id)).toMatchObject({ state: 'waiting', by: 'anna', done: 0, total: 6 });
    told.length = 0;
    await job({ tenant: 'default', id });
    expect(told).toEqual([1, 2, 3, 4, 5, 6].map((done) => [done, 6]));
    const found = await simulations.get('default', id);
    expect(found).toMatchObject({ state: 'done', done: 6, problem: null });
    const { policies, days, days_left_out, currency } = found.result!;
    expect([days, days_left_out, currency]).toEqual([DAYS, 0, 'EUR']);
    const of = (name: string) => policies.find((one) => one.name === name)!;
    expect(of('none')).toMatchObject({ saving: 0, cycles: 0, peak_kW: 30 });
    expect(of('perfect')).toMatchObject({ capture: 1 });
    for (const name of ['arbitrage', 'plan'] as const) {
      expect(of(name).saving).toBeGreaterThan(0);
      // Perfect foresight chooses its peak among 48.
      expect(of(name).saving).toBeLessThanOrEqual(1.01 * of('perfect').saving);
      expect(of(name).saving).toBeCloseTo(of('none').bill - of(name).bill, 6);
      expect(of(name).low).toBeLessThanOrEqual(of(name).saving + 0.005);
      expect(of(name).cycles).toBeGreaterThan(0);
    }
    // Tried again after a restart it stays as it was found.
    told.length = 0;
    await job({ tenant: 'default', id });
    expect(told).toEqual([]);
  });

  it('say in words what cannot be simulated, before and while they run', async () => {
    await expect(simulations.begin(admin, { ...ASKED, capacity_kWh: -1, from: 'June' })).rejects.toMatchObject({
      faults: [{ where: 'from' }, { where: 'capacity_kWh' }],
    });
    await expect(simulations.begin(admin, { ...ASKED, from: '2027-01', to: '2027-02' })).rejects.toThrow('two days');
    await expect(simulations.begin(admin, { ...ASKED, from: '2020-01' })).rejects.toThrow('too many');
    const id = await simulations.begin(admin, ASKED);
    measured = false;
    await job({ tenant: 'default', id });
    measured = true;
    expect(await simulations.get('default', id)).toMatchObject({
      ...{ state: 'failed', result: null },
      problem: 'The load was not measured in these months. Choose months with readings, or import them.',
    });
  });

  it('work on the command line, with another tariff', async () => {
    const services = { simulations } as unknown as Services;
    const args = { from: '2026-06', capacity: '40', power: '20', tariff: 'flat' };
    const { text, json } = await simulateMonths(services, admin, args);
    const lines = text.split('\n');
    expect(lines[0]).toMatch(/^policy +bill +saving +95 % interval +capture +cycles +peak kW$/);
    expect(lines.map((line) => line.split(' ', 1)[0])).toEqual([
      ...['policy', 'none', 'self-consumption', 'shaving', 'arbitrage', 'plan', 'perfect', '5'],
    ]);
    expect(json).toMatchObject({ days: DAYS, currency: 'EUR' });
  });
});
