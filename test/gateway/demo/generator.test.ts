import { describe, expect, it } from 'vitest';
import { dayStart, HOUR_MS, SLOT_MS } from '../../../engine/model/time.ts';
import { isHoliday, isWorkday } from '../../../gateway/demo/calendar.ts';
import { createDemoSite, DEMO_EPOCH_MS, DEMO_METERS, type DemoMeter } from '../../../gateway/demo/generator.ts';
import { faultsOf, historyBatches } from '../../../gateway/demo/history.ts';
import { DIRECTIONS, registerOf } from '../../../gateway/demo/meters.ts';

const START = DEMO_EPOCH_MS + 150 * 24 * HOUR_MS;
const site = createDemoSite(7);
const signed = (meter: DemoMeter) => (meter === 'pv' || meter === 'battery' ? -1 : 1);
const net_kWh = (meter: DemoMeter, at_ms: number) => site.import_kWh(meter, at_ms) - site.export_kWh(meter, at_ms);

describe('the demo site', () => {
  it('balances at every instant: the grid gives what loads take and PV and battery do not', () => {
    for (let at_ms = START; at_ms < START + 3 * 24 * HOUR_MS; at_ms += 397_000) {
      const { grid, hall, office, ev, pv, battery } = Object.fromEntries(
        DEMO_METERS.map((meter) => [meter, site.power_W(meter, at_ms)]),
      ) as Record<DemoMeter, number>;
      const other_W = grid + pv + battery - hall - office - ev;
      expect(other_W).toBeGreaterThan(1000);
      expect(other_W).toBeLessThan(2700);
      expect(site.power_W('cold', at_ms)).toBeLessThan(hall);
    }
  });

  it.each(DEMO_METERS)('%s: the register is the integral of its power, within slots and over them', (meter) => {
    const [from_ms, to_ms] = [START + 7 * HOUR_MS + 123_000, START + 9 * HOUR_MS + 456_000];
    const step_ms = 1000;
    let energy_kWh = 0;
    for (let at_ms = from_ms; at_ms < to_ms; at_ms += step_ms)
      energy_kWh += (site.power_W(meter, at_ms + step_ms / 2) * signed(meter) * step_ms) / 3.6e9;
    const counted_kWh = net_kWh(meter, to_ms) - net_kWh(meter, from_ms);
    expect(counted_kWh).toBeCloseTo(energy_kWh, 2);
    expect(Math.abs(counted_kWh)).toBeGreaterThan(0.05);
  });

  it('never counts a register back, also where the grid changes its direction', () => {
    let [changes, before] = [0, 0];
    const last = new Map<string, number>();
    const sunday = dayStart(Date.parse('2025-06-15T10:00Z'), 'Europe/Berlin');
    for (let at_ms = sunday; at_ms < sunday + 24 * HOUR_MS; at_ms += 20_000) {
      const sign = Math.sign(site.power_W('grid', at_ms));
      if (sign !== before) changes++;
      before = sign;
      for (const meter of DEMO_METERS)
        for (const direction of DIRECTIONS[meter]) {
          const kWh = registerOf(site, meter, direction, at_ms, START);
          expect(kWh).toBeGreaterThanOrEqual(last.get(meter + direction) ?? 0);
          last.set(meter + direction, kWh);
        }
    }
    expect(changes).toBeGreaterThan(1);
  });

  it('gives the same to everybody who has the seed, in whatever order they ask', () => {
    const other = createDemoSite(7);
    const at_ms = START + 3 * HOUR_MS + 7000;
    other.power_W('grid', START + 30 * 24 * HOUR_MS);
    for (const meter of DEMO_METERS) {
      expect(other.power_W(meter, at_ms)).toBe(site.power_W(meter, at_ms));
      expect(other.import_kWh(meter, at_ms)).toBe(site.import_kWh(meter, at_ms));
    }
    expect(createDemoSite(8).power_W('hall', at_ms)).not.toBe(site.power_W('hall', at_ms));
  });

  it('is plausible: nights without PV, quiet weekends, a battery within its bounds, some negative prices', () => {
    const mean = (from: string, meter: DemoMeter) =>
      (net_kWh(meter, Date.parse(from) + 24 * HOUR_MS) - net_kWh(meter, Date.parse(from))) * signed(meter);
    // Wednesday against Sunday, and a holiday like a Sunday
    expect(mean('2025-06-17T22:00Z', 'hall')).toBeGreaterThan(2 * mean('2025-06-14T22:00Z', 'hall'));
    expect(mean('2025-10-02T22:00Z', 'hall')).toBeLessThan(1.3 * mean('2025-06-14T22:00Z', 'hall'));
    expect(site.power_W('pv', Date.parse('2025-06-15T00:30Z'))).toBe(0);
    let negative = 0;
    let highest_kW = 0;
    for (let at_ms = START; at_ms < START + 60 * 24 * HOUR_MS; at_ms += SLOT_MS) {
      if (site.price_EUR_MWh(at_ms) < 0) negative++;
      highest_kW = Math.max(highest_kW, site.power_W('pv', at_ms) / 1000);
      expect(site.soc_percent(at_ms)).toBeGreaterThanOrEqual(0);
      expect(site.soc_percent(at_ms)).toBeLessThanOrEqual(100);
    }
    expect(negative / (60 * 96)).toBeGreaterThan(0.02);
    expect(negative / (60 * 96)).toBeLessThan(0.3);
    expect(highest_kW).toBeGreaterThan(40);
    expect(highest_kW).toBeLessThan(55);
  });

  it('knows the holidays of Baden-Württemberg', () => {
    for (const [month, day] of [
      [1, 1],
      [1, 6],
      [4, 3],
      [4, 6],
      [5, 14],
      [5, 25],
      [6, 4],
      [10, 3],
      [11, 1],
    ] as const)
      expect(isHoliday(2026, month, day), `${month}-${day}`).toBe(true);
    expect(isWorkday(2026, 4, 7)).toBe(true);
    expect(isWorkday(2026, 4, 11)).toBe(false);
  });
});

describe('its history', () => {
  const started_ms = START;
  const faults = faultsOf(started_ms);
  const from_ms = started_ms - 14 * 24 * HOUR_MS;
  const readings = [...historyBatches(site, from_ms, started_ms, faults)].flat();
  const of = (meter: string, quantity: string) =>
    readings.filter((one) => one.meter === meter && one.quantity === quantity);

  it('goes on in the live registers without a seam', () => {
    for (const [meter, quantity, direction] of [
      ['grid', 'import_kWh', 'import'],
      ['pv', 'export_kWh', 'export'],
      ['ev', 'import_kWh', 'import'],
      ['cold', 'import_kWh', 'import'],
    ] as const) {
      const last = of(`demo-${meter}`, quantity).at(-1)!;
      const live = registerOf(site, meter, direction, started_ms + 5000, faults.reset_ms);
      expect(last.at_ms).toBe(started_ms - SLOT_MS);
      expect(live).toBeGreaterThanOrEqual(last.value);
      expect(live - last.value).toBeLessThan(20);
    }
  });

  it('has the faults of a real site: five silent hours, one spike, one replaced meter', () => {
    const office = of('demo-office', 'import_kWh').map(({ at_ms }) => at_ms);
    const gaps = office.slice(1).map((at_ms, i) => at_ms - office[i]!);
    expect(Math.max(...gaps)).toBe(5 * HOUR_MS + SLOT_MS);
    const hall = of('demo-hall', 'import_kWh').map(({ value }) => value);
    expect(hall.slice(1).filter((value, i) => value - hall[i]! > 1000)).toHaveLength(1);
    const ev = of('demo-ev', 'import_kWh').map(({ value }) => value);
    expect(ev.slice(1).filter((value, i) => value < ev[i]!)).toHaveLength(1);
    expect(readings.every(({ value }) => Number.isFinite(value))).toBe(true);
  });
});
