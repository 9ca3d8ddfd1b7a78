import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addDays, HOUR_MS, instantOf, localTime, SLOT_MS } from '../../../engine/model/time.ts';
import { findMeterFaults, type Hours, hoursOf } from '../../../engine/quality/faults.ts';
import { LOADS, loadMeters } from '../../bench/meter-data.ts';
import { CHOSEN_ON } from '../../bench/meter-faults.bench.ts';
import { scoreMeter, tally } from '../../bench/meter-faults.ts';

const TZ = 'Europe/Berlin';
const FROM = instantOf(TZ, 2026, 3, 1);
const DAYS = 42;
const DATA = resolve(process.env.LUNA_BENCH_DATA ?? '../shared/data');

/** A shop: 2 kW at night, 10 kW by day, a little different every hour; shut on Sundays. Over a clock change. */
function shop(change: (at_ms: number, hour: number, day: number) => number | undefined = () => undefined): Hours {
  const count = (addDays(FROM, DAYS, TZ) - FROM) / HOUR_MS;
  const values = Float64Array.from({ length: count }, (_, i) => {
    const at_ms = FROM + i * HOUR_MS;
    const { hour } = localTime(at_ms, TZ);
    const day = Math.floor((at_ms - FROM + 2 * HOUR_MS) / (24 * HOUR_MS));
    const open = hour >= 7 && hour < 20 && day % 7 !== 0;
    const given = change(at_ms, hour, day);
    return given ?? (open ? 10 : 2) + ((i * 7919) % 13) / 20;
  });
  return { from_ms: FROM, values };
}
const find = (hours: Hours) => findMeterFaults(hours, TZ, FROM);
const at = (month: number, day: number, hour = 0) => instantOf(TZ, 2026, month, day, hour);

describe('faults of meters', () => {
  it('a meter that works has none, through Sundays and a clock change', () => {
    expect(find(shop())).toEqual([]);
  });

  it('a gap says since when, until when, and what is usual then', () => {
    const [from, to] = [at(4, 6, 9), at(4, 6, 15)];
    const [fault, ...more] = find(shop((now) => (now >= from && now < to ? NaN : undefined)));
    expect(more).toEqual([]);
    expect(fault).toMatchObject({ kind: 'gap', from_ms: from, to_ms: to, value: null });
    expect(fault!.usual).toBeGreaterThan(9);
    expect(find(shop((now) => (now === from ? NaN : undefined)))).toEqual([]);
  });

  it('hours at which a meter never speaks are no gap', () => {
    expect(find(shop((_, hour) => (hour < 6 ? NaN : undefined)))).toEqual([]);
  });

  it('a standstill: at its last value, and a register that counts nothing', () => {
    for (const value of [6.25, 0]) {
      const [from, to] = [at(4, 6, 9), at(4, 6, 21)];
      const faults = find(shop((now) => (now >= from && now < to ? value : undefined)));
      expect(faults).toMatchObject([{ kind: 'stuck', from_ms: from, to_ms: to, value }]);
      expect(faults[0]!.usual).toBeGreaterThan(5);
    }
  });

  it('a load that is off every night does not stand still', () => {
    expect(find(shop((_, hour) => (hour < 6 || hour > 20 ? 0 : undefined)))).toEqual([]);
  });

  it('what runs on at night is told from its first night, with what it takes and what is usual', () => {
    const left = shop((now, hour) =>
      now >= at(4, 6, 0) && now < at(4, 9, 12) && hour < 6 ? 7 + hour / 10 : undefined,
    );
    const faults = find(left);
    expect(faults).toMatchObject([{ kind: 'night_load', from_ms: at(4, 6), to_ms: at(4, 9, 5) }]);
    expect(faults[0]!.value).toBeCloseTo(7.2, 5);
    expect(faults[0]!.usual).toBeLessThan(3);
  });

  it('what runs every night becomes the usual after a week', () => {
    const faults = find(shop((now, hour) => (now >= at(3, 20) && hour < 6 ? 7 + hour / 10 : undefined)));
    expect(faults).toHaveLength(1);
    expect(faults[0]!.to_ms).toBeLessThan(at(4, 5));
  });

  it('nothing is judged before ten days are known', () => {
    const young = shop((now, hour) => (now < at(4, 4) ? NaN : now >= at(4, 8) && hour < 6 ? 9 : undefined));
    expect(find(young).filter((fault) => fault.from_ms >= at(4, 4))).toEqual([]);
  });

  it('an hour of slots is known when its four quarters are', () => {
    const slots = {
      at_ms: Float64Array.from({ length: 7 }, (_, i) => FROM + i * SLOT_MS),
      values: Float64Array.of(1, 2, 3, 4, 5, NaN, 7),
      quality: new Int32Array(7),
    };
    expect([...hoursOf(slots, FROM, FROM + 3 * HOUR_MS).values]).toEqual([10, NaN, NaN]);
  });
});

describe.skipIf(!existsSync(join(DATA, LOADS)))('faults put into real meters', () => {
  it('at least nine of ten are found at no more than one false event a meter and month, on meters not chosen on', () => {
    const meters = [...loadMeters(DATA)].filter(({ name }) => !CHOSEN_ON.includes(name));
    const picked = meters.filter((_, k) => k % 5 === 0);
    const scores = picked.map((meter) => scoreMeter(meter, { seed: 7, years: 2 }));
    const { injected, found, false_events, months } = tally(scores);
    expect(injected).toBeGreaterThan(50);
    expect(found / injected).toBeGreaterThanOrEqual(0.9);
    expect(false_events / months).toBeLessThanOrEqual(1);
  });
});
