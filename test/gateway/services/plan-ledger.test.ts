/** The ledger's arithmetic over random months and tariffs, and what devices would have done without the plan. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batteryTakenBack, takenAsNeeded } from '../../../engine/dispatch/without-devices.ts';
import { InvalidDataError } from '../../../engine/errors.ts';
import { readTariff } from '../../../engine/tariff/read.ts';
import type { TariffVersion } from '../../../engine/tariff/tariff.ts';
import { type Billing, billCourse } from '../../../gateway/services/plans/billing.ts';
import { type DeviceChange, ledgerOf } from '../../../gateway/services/plans/ledger.ts';
import { slotsBetween } from '../../engine/tariff/sample.ts';

const YAML = `name: Test
currency: EUR
time_zone: Europe/Berlin
vat_percent: 19
energy:
  - name: Energy
    periods:
      - { name: night, price_per_kWh: 0.1037, when: { hours: 00:00-06:00 } }
      - { name: day, price_per_kWh: 0.2911 }
feed_in:
  - { name: Sun, price_per_kWh: 0.0786 }
demand:
  - { name: Power, per: month, price_per_kW: 8.13 }
standing:
  - { name: Meter, per: month, amount: 12.35 }
`;
const at_ms = slotsBetween('2026-05-31T22:00Z', '2026-06-03T22:00Z');
const [bound_ms, end_ms] = [at_ms[0]!, at_ms.at(-1)! + 900_000];

function billing(yaml = YAML): Billing {
  const { tariff, faults } = readTariff(yaml);
  if (!tariff) throw new Error(JSON.stringify(faults));
  const version: TariffVersion = { valid_from: '1970-01-01', tariff };
  const none = { at_ms: new Float64Array(), import_kWh: new Float64Array() };
  return { versions: [version], markets: [], bounds_ms: [bound_ms, end_ms], at_ms, meters: {}, past: none };
}
const bill =
  (of = billing()) =>
  (grid: { import_kWh: Float64Array; export_kWh: Float64Array }) =>
    billCourse(of, grid, () => false)[0]!;
const cents = (amount: number) => Math.round(amount * 100);
const series = (least: number, most: number) =>
  fc
    .array(fc.double({ min: least, max: most, noNaN: true }), { minLength: at_ms.length, maxLength: at_ms.length })
    .map((values) => Float64Array.from(values));
const DEVICES = (['battery', 'vehicle', 'load', 'heat-pump'] as const).map((kind) => ({ id: kind, name: kind, kind }));

describe('what a month saved', () => {
  it('adds up to the cent: lines to their device, devices to the difference of two bills that stand by themselves', () => {
    fc.assert(
      fc.property(
        series(0, 30),
        series(0, 8),
        fc.array(series(-6, 6), { minLength: 1, maxLength: 4 }),
        (import_kWh, export_kWh, changes) => {
          const asked = changes.map((change, i): DeviceChange => ({ device: DEVICES[i]!, change }));
          const ledger = ledgerOf({ import_kWh, export_kWh }, asked, bill());
          const sum = (amounts: readonly number[]) => amounts.reduce((total, one) => total + cents(one), 0);
          for (const part of ledger.parts) expect(sum(part.lines.map(({ amount }) => amount))).toBe(cents(part.amount));
          expect(sum(ledger.parts.map(({ amount }) => amount))).toBe(cents(ledger.saving));
          expect(cents(ledger.without) - cents(ledger.actual)).toBe(cents(ledger.saving));
          expect(ledger.actual).toBe(bill()({ import_kWh, export_kWh }).total);
          expect(ledger.parts).toHaveLength(changes.length);
        },
      ),
      { numRuns: 25, seed: 7 },
    );
  });

  it('is what one would reckon by hand, for a battery that moves 10 kWh from night to day', () => {
    const hour = (t: number) => (at_ms[t]! / 3_600_000 + 2) % 24;
    const charged = Float64Array.from(at_ms, (_, t) => (hour(t) === 2 ? 10 : 0));
    const given = Float64Array.from(at_ms, (_, t) => (hour(t) === 12 ? 10 : 0));
    const import_kWh = Float64Array.from(at_ms, (_, t) => 20 + charged[t]! - given[t]!);
    const change = batteryTakenBack(charged, given);
    const ledger = ledgerOf(
      { import_kWh, export_kWh: new Float64Array(at_ms.length) },
      [{ device: DEVICES[0]!, change }],
      bill(),
    );
    const of = (wanted: string) =>
      ledger.parts[0]!.lines.reduce((sum, { kind, amount }) => sum + (kind === wanted ? amount : 0), 0);
    // Three days: 30 kWh by day against 30 kWh by night. The peak is 40 kW higher, and three days of thirty are billed.
    expect(of('energy')).toBeCloseTo(30 * (0.2911 - 0.1037), 2);
    expect(of('demand')).toBeCloseTo((-40 * 8.13) / 10, 2);
    expect(of('vat')).toBeCloseTo(0.19 * (5.622 - 32.52), 1);
  });

  it('claims nothing where a device was not measured, names what nothing measures, and has no bill without prices', () => {
    const flat = Float64Array.from(at_ms, () => 5);
    const none = new Float64Array(at_ms.length);
    const change = flat.map((_, t) => (t < 10 ? Number.NaN : 0));
    const gaps = ledgerOf(
      { import_kWh: flat.map((kWh, t) => (t === 20 ? Number.NaN : kWh)), export_kWh: none },
      [
        { device: DEVICES[0]!, change },
        { device: DEVICES[3]!, change: null },
      ],
      bill(),
    );
    expect(gaps).toMatchObject({ saving: 0, missing_slots: 11, unproved: ['heat-pump'] });
    const dynamic = billing(`${YAML.split('energy:')[0]}energy:
  - { name: Market, market: { area: DE-LU } }
`);
    expect(() => ledgerOf({ import_kWh: flat, export_kWh: none }, [], bill(dynamic))).toThrow(InvalidDataError);
  });
});

describe('a heat pump without the plan', () => {
  const day = Int32Array.from({ length: 8 }, (_, t) => (t < 4 ? 0 : 1));
  const course = { day, demand: Float64Array.of(1, 1, 1, 1, 2, 0, 0, 2), cop: Float64Array.of(2, 2, 4, 4, 3, 3, 3, 3) };

  it('makes each day’s heat when the building needs it, at the efficiency of that hour', () => {
    // 4 kWh at 4 are 16 kWh of heat, 4 in each slot: 2, 2, 1, 1 kWh of electricity.
    const used = Float64Array.of(0, 0, 0, 4, 0, 6, 0, 0);
    const change = takenAsNeeded(used, course, 100);
    expect(Array.from(change)).toEqual([2, 2, 1, -3, 3, -6, 0, 3]);
    const heat = (values: ArrayLike<number>) =>
      Array.from(values).reduce((sum, kWh, t) => sum + kWh * course.cop[t]!, 0);
    expect(heat(change)).toBeCloseTo(0, 9);
  });

  it('keeps to its power, and what is left comes later; days without readings or weather stay as they are', () => {
    const limited = takenAsNeeded(Float64Array.of(0, 0, 0, 4, 0, 6, 0, 0), course, 4);
    // At most 1 kWh in a slot: 2 kWh of heat are owed after the first, 4 after the second; the last takes the rest.
    expect(Array.from(limited.subarray(0, 4))).toEqual([1, 1, 1, 2 - 4]);
    expect(Array.from(limited.subarray(4))).toEqual([1, -5, 1, 3]);
    const unknown = takenAsNeeded(Float64Array.of(0, Number.NaN, 0, 4, 0, 6, 0, 0), course, 4);
    expect(Array.from(unknown.subarray(0, 4))).toEqual([0, 0, 0, 0]);
    const no_weather = { ...course, demand: course.demand.map((need, t) => (t === 5 ? Number.NaN : need)) };
    expect(Array.from(takenAsNeeded(Float64Array.of(0, 0, 0, 4, 0, 6, 0, 0), no_weather, 100).subarray(4))).toEqual([
      0, 0, 0, 0,
    ]);
  });
});
