import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Quality } from '../../../engine/model/quality.ts';
import { HOUR_MS, SLOT_MS } from '../../../engine/model/time.ts';
import { CONTEXT_MS, computeSlots, energyFromPower, GAP_MS } from '../../../engine/quality/slots.ts';

const T0 = Date.UTC(2026, 2, 29);
const MIN = 60_000;

type R = readonly [at_ms: number, value: number, quality?: number];
const columns = (readings: readonly R[]) => ({
  at_ms: Float64Array.from(readings, (r) => r[0]),
  values: Float64Array.from(readings, (r) => r[1]),
  quality: Int32Array.from(readings, (r) => r[2] ?? 0),
});
const compute = (readings: readonly R[], from_ms: number, to_ms: number, options: object = {}) =>
  computeSlots({ quantity: 'import_kWh', ...columns(readings), starts_ms: null, from_ms, to_ms, ...options });
const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + (Number.isNaN(b) ? 0 : b), 0);
const total = (result: ReturnType<typeof compute>) =>
  sum(result.slots.values) + sum(result.spans.map((span) => span.value));
/** What a caller supplies for a range: context on both sides, and at least the last before and the first after. */
function around(readings: readonly R[], from_ms: number, to_ms: number): R[] {
  const before = readings.findLastIndex((r) => r[0] < from_ms - CONTEXT_MS);
  const after = readings.findIndex((r) => r[0] >= to_ms + CONTEXT_MS);
  return readings.slice(Math.max(0, before), after < 0 ? undefined : after + 1);
}

/** A register read at irregular instants, with gaps up to a day. */
const register = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 86_400 }), fc.integer({ min: 0, max: 5000 })), {
    minLength: 2,
    maxLength: 60,
  })
  .map((steps) => {
    let [at, wh] = [T0 + 7 * MIN, 1_000_000];
    return steps.map(([seconds, growth]): R => {
      at += seconds < 43_200 ? (seconds % 3600) * 1000 + 1000 : seconds * 1000;
      wh += growth;
      return [at, wh / 1000];
    });
  });
const rangeOf = (readings: readonly R[]): [number, number] => [
  Math.floor(readings[0]![0] / SLOT_MS) * SLOT_MS,
  (Math.floor(readings.at(-1)![0] / SLOT_MS) + 1) * SLOT_MS,
];

describe('registers', () => {
  it('slots and spans add up to the register difference, and nothing is negative', () => {
    fc.assert(
      fc.property(register, (readings) => {
        const result = compute(readings, ...rangeOf(readings));
        expect(total(result)).toBeCloseTo(readings.at(-1)![1] - readings[0]![1], 6);
        for (const value of [...result.slots.values, ...result.spans.map((s) => s.value)])
          expect(value).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 300 },
    );
  });

  it('computing in pieces equals computing at once, with faults in the data too', () => {
    const faulty = fc
      .tuple(register, fc.array(fc.tuple(fc.nat(59), fc.constantFrom('zero', 'huge', 'reset', 'old'))))
      .map(([readings, faults]) => {
        const out = readings.map((r) => [...r] as [number, number]);
        for (const [k, fault] of faults) {
          const i = k % out.length;
          if (fault === 'zero') out[i]![1] = 0;
          if (fault === 'huge') out[i]![1] += 400_000;
          if (fault === 'old') out[i]![1] = out[Math.max(0, i - 3)]![1];
          if (fault === 'reset') for (let j = i; j < out.length; j++) out[j]![1] = Math.max(0, out[j]![1] - 1000);
        }
        return out as R[];
      });
    fc.assert(
      fc.property(faulty, fc.nat(1_000_000), (readings, where) => {
        const [from, to] = rangeOf(readings);
        const split = from + SLOT_MS * (where % ((to - from) / SLOT_MS + 1));
        const whole = compute(readings, from, to);
        const left = compute(around(readings, from, split), from, split);
        const right = compute(around(readings, split, to), split, to);
        expect([...left.slots.at_ms, ...right.slots.at_ms]).toEqual([...whole.slots.at_ms]);
        expect([...left.slots.values, ...right.slots.values]).toEqual([...whole.slots.values]);
        expect([...left.slots.quality, ...right.slots.quality]).toEqual([...whole.slots.quality]);
        expect([...left.spans, ...right.spans]).toEqual(whole.spans);
        expect([...left.events, ...right.events]).toEqual(whole.events);
      }),
      { numRuns: 1000 },
    );
  });

  it('does not depend on the order of arrival', () => {
    fc.assert(
      fc.property(register, fc.infiniteStream(fc.nat()), (readings, keys) => {
        const shuffled = readings.map((r) => ({ r, key: keys.next().value! })).sort((a, b) => a.key - b.key);
        const range = rangeOf(readings);
        expect(
          compute(
            shuffled.map(({ r }) => r),
            ...range,
          ),
        ).toEqual(compute(readings, ...range));
      }),
    );
  });

  it('interpolates at slot edges', () => {
    const { slots } = compute(
      [
        [T0 - 5 * MIN, 100],
        [T0 + 10 * MIN, 103],
        [T0 + 20 * MIN, 104],
      ],
      T0,
      T0 + 2 * SLOT_MS,
    );
    expect([...slots.values]).toEqual([2 + 0.5, 0.5]);
    expect([...slots.quality]).toEqual([0, Quality.PARTIAL]);
  });

  it('spreads a gap up to two hours and keeps a longer one as a span', () => {
    const short = compute(
      [
        [T0, 10],
        [T0 + GAP_MS, 18],
      ],
      T0,
      T0 + GAP_MS,
    );
    expect([...short.slots.values]).toEqual(Array(8).fill(1));
    expect([...short.slots.quality]).toEqual(Array(8).fill(Quality.ESTIMATED));
    const long = compute(
      [
        [T0, 10],
        [T0 + GAP_MS + 1, 18],
      ],
      T0,
      T0 + GAP_MS + SLOT_MS,
    );
    expect(long.slots.at_ms).toHaveLength(0);
    expect(long.spans).toEqual([
      { from_ms: T0, to_ms: T0 + GAP_MS + 1, value: 8, quality: Quality.ESTIMATED | Quality.GAP },
    ]);
  });

  /** Every 5 minutes from T0. */
  const every5 = (...values: number[]): R[] => values.map((value, i) => [T0 + i * 5 * MIN, value]);
  const kinds = (result: ReturnType<typeof compute>) => result.events.map((event) => event.kind);
  const cases: [name: string, values: number[], expected: number, kinds: string[]][] = [
    ['a reset to zero', [500, 500.1, 500.2, 0.05, 0.15, 0.25], 0.4, ['reset']],
    ['a reset to an earlier value', [500, 500.4, 500.8, 500.5, 500.9, 501.3], 0.8 + 0.8, ['reset']],
    ['a meter replaced by one with more on it', [500, 500.1, 9000, 9000.1, 9000.2], 0.1 + 0.2, ['jump']],
    ['a dip to zero', [500, 500.1, 0, 500.3, 500.4], 0.4, ['dip']],
    ['a dip to zero over several readings', [500, 500.1, 0, 0, 0, 500.3, 500.4], 0.4, ['dip', 'dip', 'dip']],
    ['a dip to an old value', [500, 510, 511, 480, 512, 513], 13, ['dip']],
    ['a spike', [500, 500.1, 65535, 500.3, 500.4], 0.4, ['spike']],
    ['a spike of two readings', [500, 500.1, 65535, 65535, 500.4], 0.4, ['spike', 'spike']],
    ['a spike small enough to be possible', [500, 500.1, 520, 500.3, 500.4], 0.4, ['spike']],
    ['a spike at the newest reading', [500, 500.1, 65535], 0.1, ['spike']],
    ['a rollover after six digits', [999_999.8, 999_999.9, 0.1, 0.2], 0.4, ['rollover']],
    [
      'a rollover of 32 bits of Wh',
      [4294967.2, 4294967.25, 0.004, 0.104],
      4294967.296 - 4294967.2 + 0.104,
      ['rollover'],
    ],
    ['duplicates', [500, 500, 500, 500.1, 500.1], 0.1, []],
  ];
  for (const [name, values, expected, expectedKinds] of cases)
    it(`${name} is flagged, never summed`, () => {
      const result = compute(every5(...values), T0, T0 + 4 * SLOT_MS);
      expect(total(result)).toBeCloseTo(expected, 6);
      expect(kinds(result)).toEqual(expectedKinds);
    });

  it('a single slow register tick of a large meter is no spike', () => {
    const result = compute(
      [
        [T0, 100],
        [T0 + 1000, 101],
        [T0 + 2000, 101],
      ],
      T0,
      T0 + SLOT_MS,
    );
    expect(total(result)).toBe(1);
    expect(result.events).toEqual([]);
  });

  it('a steady plant of 20 MW is believed without a limit, and not with a limit of 1 MW', () => {
    const plant = Array.from({ length: 12 }, (_, i): R => [T0 + i * SLOT_MS, 1e6 + i * 5000]);
    expect(total(compute(plant, T0, T0 + 12 * SLOT_MS))).toBe(55_000);
    expect(total(compute(plant, T0, T0 + 12 * SLOT_MS, { max_power_W: 1e6 }))).toBe(0);
  });

  /** A register read every 15 minutes by what it counted in each. */
  const quarters = (...steps: number[]): R[] =>
    [0, ...steps].map((_, i) => [T0 + i * SLOT_MS, steps.slice(0, i).reduce((kWh, step) => kWh + step, 1000)]);
  const day = (steps: number[], options: object = {}) => compute(quarters(...steps), T0, T0 + 30 * SLOT_MS, options);

  it('a jump that stays is flagged and left out, though a large connection could have carried it', () => {
    const jumped = day([0.5, 0.5, 0.4, 0.5, 200, 0.5, 0.5, 0.6, 0.5]);
    expect(total(jumped)).toBeCloseTo(4, 6);
    expect(jumped.events).toMatchObject([{ kind: 'jump', at_ms: T0 + 5 * SLOT_MS }]);
    expect(jumped.slots.quality[4]! & Quality.JUMP).toBeTruthy();
  });

  it('a smaller jump is flagged where the rating of the device is known', () => {
    const steps = [0.02, 0.02, 0.02, 0.02, 9, 0.02, 0.02, 0.02];
    expect(day(steps).events).toEqual([]);
    const rated = day(steps, { rated_power_W: 2500 });
    expect(rated.events).toMatchObject([{ kind: 'jump' }]);
    expect(total(rated)).toBeCloseTo(0.14, 6);
  });

  const real: [name: string, steps: number[], options?: object][] = [
    ['a plant that starts', [0, 0, 0, 0, 200, 220, 220, 220, 220]],
    ['a plant that stops', [220, 220, 220, 220, 60, 0, 0, 0, 0]],
    ['a fast charger in an idle hall', [0.1, 0.1, 0.1, 0.1, 75, 0.1, 0.1, 0.1]],
    ['a plant that runs for two steps', [0, 0, 0, 0, 150, 190, 0, 0, 0]],
    ['a meter behind transformers, far above its rating', [30, 31, 30, 32, 33, 30, 31], { rated_power_W: 45_000 }],
    ['a register that ticks in tens', [0, 0, 0, 10, 0, 0, 0, 10, 0, 0]],
  ];
  for (const [name, steps, options] of real)
    it(`${name} is believed`, () => {
      const result = day(steps, options);
      expect(result.events).toEqual([]);
      expect(total(result)).toBeCloseTo(sum(steps), 6);
    });

  it('excluded and missing readings do not enter', () => {
    const result = compute(
      [
        [T0, 100],
        [T0 + 5 * MIN, 7e5, Quality.OUT_OF_RANGE],
        [T0 + 6 * MIN, NaN],
        [T0 + 15 * MIN, 101],
      ],
      T0,
      T0 + SLOT_MS,
    );
    expect([...result.slots.values]).toEqual([1]);
    expect([...result.slots.quality]).toEqual([Quality.OUT_OF_RANGE]);
  });

  it('refuses ranges off the grid and unknown quantities with a sentence', () => {
    expect(() => compute([], T0 + 1, T0 + SLOT_MS)).toThrow(/slot edges/);
    expect(() => compute([], T0, T0, { quantity: 'flux_capacity' })).toThrow(/no known quantity/);
  });
});

describe('intervals', () => {
  const intervals = (rows: readonly [from_ms: number, to_ms: number, value: number][], from: number, to: number) =>
    compute(
      rows.map(([, end, value]): R => [end, value]),
      from,
      to,
      {
        quantity: 'import_interval_kWh',
        starts_ms: Float64Array.from(rows, (row) => row[0]),
      },
    );

  it('share by overlap, and add up', () => {
    const result = intervals(
      [
        [T0 - 5 * MIN, T0 + 10 * MIN, 3],
        [T0 + 10 * MIN, T0 + 40 * MIN, 6],
      ],
      T0,
      T0 + 3 * SLOT_MS,
    );
    expect([...result.slots.values]).toEqual([3, 3, 2]);
  });

  it('overlapping ones are not counted twice', () => {
    const quarter = (k: number): [number, number, number] => [T0 + k * SLOT_MS, T0 + (k + 1) * SLOT_MS, 1];
    const result = intervals([quarter(0), quarter(1), quarter(2), [T0, T0 + HOUR_MS, 4]], T0, T0 + HOUR_MS);
    expect([...result.slots.values]).toEqual([1, 1, 1, 1]);
  });

  it('longer than two hours become spans; malformed ones are marked', () => {
    const day = intervals(
      [
        [T0, T0 + 24 * HOUR_MS, 48],
        [T0 + 25 * HOUR_MS, T0 + 25 * HOUR_MS, 9],
      ],
      T0,
      T0 + 48 * HOUR_MS,
    );
    expect(day.spans).toEqual([{ from_ms: T0, to_ms: T0 + 24 * HOUR_MS, value: 48, quality: Quality.ESTIMATED }]);
    expect(sum(day.slots.values)).toBe(0);
    expect(day.events).toMatchObject([{ kind: 'malformed' }]);
  });

  it('add up for any cut without overlap, at once and in pieces', () => {
    const cut = fc.array(fc.tuple(fc.integer({ min: 1, max: 200 }), fc.nat(100)), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(cut, fc.nat(1000), (pieces, where) => {
        let at = T0;
        const rows = pieces.map(([minutes, value]): [number, number, number] => {
          const start = at;
          at += minutes * MIN;
          return [start, at, value];
        });
        const to = Math.ceil(at / SLOT_MS) * SLOT_MS;
        const whole = intervals(rows, T0, to);
        expect(total(whole)).toBeCloseTo(sum(pieces.map((p) => p[1])), 6);
        const split = T0 + SLOT_MS * (where % ((to - T0) / SLOT_MS + 1));
        expect(total(intervals(rows, T0, split)) + total(intervals(rows, split, to))).toBeCloseTo(total(whole), 6);
      }),
    );
  });
});

describe('gauges', () => {
  const gauge = (readings: R[], from: number, to: number, quantity = 'power_W') =>
    compute(readings, from, to, { quantity });

  it('weigh by time', () => {
    const { slots } = gauge(
      [
        [T0, 100],
        [T0 + 5 * MIN, 400],
        [T0 + 15 * MIN, 0],
      ],
      T0,
      T0 + SLOT_MS,
    );
    expect([...slots.values]).toEqual([300]);
    expect([...slots.quality]).toEqual([0]);
  });

  it('hold no longer than the limit: partial, then nothing', () => {
    const readings = Array.from({ length: 7 }, (_, i): R => [T0 + i * MIN, 100]);
    const { slots } = gauge(readings, T0, T0 + 3 * SLOT_MS);
    expect([...slots.at_ms]).toEqual([T0]);
    expect([...slots.values]).toEqual([100]);
    expect([...slots.quality]).toEqual([Quality.PARTIAL]);
  });

  it('negative power is a measurement', () => {
    expect([
      ...gauge(
        [
          [T0, -50],
          [T0 + 14 * MIN, -50],
        ],
        T0,
        T0 + SLOT_MS,
      ).slots.values,
    ]).toEqual([-50]);
  });

  it('a value that stands still for hours is marked stuck, zero is not', () => {
    const flat = (value: number) => Array.from({ length: 100 }, (_, i): R => [T0 + i * 5 * MIN, value]);
    const stuck = gauge(flat(231.4), T0, T0 + 8 * HOUR_MS, 'voltage_V');
    expect(stuck.events.map((e) => e.kind)).toEqual(['stuck']);
    expect(stuck.slots.quality.at(-1)! & Quality.STUCK).toBeTruthy();
    expect(stuck.slots.quality[0]).toBe(0);
    expect(gauge(flat(0), T0, T0 + 8 * HOUR_MS).events).toEqual([]);
  });

  it('the mean lies between the readings; pieces equal the whole', () => {
    const readings = fc
      .array(fc.tuple(fc.integer({ min: 1, max: 1500 }), fc.integer({ min: -500, max: 500 })), {
        minLength: 1,
        maxLength: 80,
      })
      .map((rows) => {
        let at = T0;
        return rows.map(([seconds, watts]): R => {
          at += seconds * 1000;
          return [at, watts];
        });
      });
    fc.assert(
      fc.property(readings, fc.nat(1000), (rows, where) => {
        const [from, to] = rangeOf(rows);
        const whole = gauge(rows, from, to);
        for (const value of whole.slots.values) expect(Math.abs(value)).toBeLessThanOrEqual(500 + 1e-9);
        const split = from + SLOT_MS * (where % ((to - from) / SLOT_MS + 1));
        const parts = [gauge(around(rows, from, split), from, split), gauge(around(rows, split, to), split, to)];
        expect(parts.flatMap((p) => [...p.slots.values])).toEqual([...whole.slots.values]);
        expect(parts.flatMap((p) => [...p.slots.quality])).toEqual([...whole.slots.quality]);
      }),
    );
  });
});

describe('derived slots', () => {
  const at = Float64Array.of(T0, T0 + SLOT_MS);
  it('energy from power by direction', () => {
    const power = { at_ms: at, values: Float64Array.of(2000, -400), quality: Int32Array.of(0, Quality.PARTIAL) };
    expect([...energyFromPower(power, 'import').values]).toEqual([0.5, 0]);
    expect([...energyFromPower(power, 'export').values]).toEqual([0, 0.1]);
    expect(energyFromPower(power, 'export').quality[1]).toBe(Quality.PARTIAL | Quality.FROM_POWER);
  });
});
