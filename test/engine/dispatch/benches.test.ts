import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HOME_FILE } from '../../bench/dispatch/home-data.ts';
import { run as arbitrage } from '../../bench/dispatch-arbitrage.bench.ts';
import { run as evcc } from '../../bench/dispatch-evcc.bench.ts';
import { run as home } from '../../bench/dispatch-home.bench.ts';
import { run as scale } from '../../bench/dispatch-scale.bench.ts';

const quiet = () => {};

describe.skipIf(!existsSync(HOME_FILE))('benches of plans, in small', () => {
  it("schedules evcc's cases no worse than its own optimizer", async () => {
    const result = await evcc({ repeat: '1' }, quiet);
    expect(result.cases).toBeGreaterThanOrEqual(13);
    expect(result.worse).toBe(0);
    expect(result.more_violation).toBe(0);
  }, 120_000);

  it('plans a running site as well as HiGHS', async () => {
    const result = await scale({ plans: '4', 'slots-only': '96' }, quiet);
    expect(result.objective_gap).toBeLessThan(1e-6);
  }, 120_000);

  it('bills the published rules for the Trondheim home as published', async () => {
    const result = await home({ hours: '8760', plan: 'no' }, quiet);
    expect(result.bill_none).toBeCloseTo(25_051.7, 1);
    expect(result.bill_arbitrage).toBeCloseTo(26_968.2, 1);
    expect(result.bill_shaving).toBeCloseTo(24_233.8, 1);
    expect(result.bill_capped_arbitrage).toBeCloseTo(23_802.5, 1);
    expect(Math.abs(Number(result.prescient_nok) - 21_203.5)).toBeLessThan(21);
  }, 120_000);

  it('captures with the published forecasts what they are known to capture', async () => {
    const { capture_published_pct } = await arbitrage({ market: 'NP', days: '60' }, quiet);
    expect(capture_published_pct).toBeGreaterThan(75);
    expect(capture_published_pct).toBeLessThan(100);
  }, 120_000);
});
