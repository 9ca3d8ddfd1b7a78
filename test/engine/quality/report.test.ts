import { describe, expect, it } from 'vitest';
import { Quality } from '../../../engine/model/quality.ts';
import { addDays, instantOf, SLOT_MS } from '../../../engine/model/time.ts';
import { type DayInput, reportQuality, silenceLimit, usualInterval } from '../../../engine/quality/report.ts';
import { computeSlots } from '../../../engine/quality/slots.ts';

const TZ = 'Europe/Berlin';
const MIN = 60_000;

/** A day of a register read every 5 minutes, after `change` had its way with the readings. */
function dayOf(
  date: [number, number, number],
  change: (rows: { at: number; value: number; quality: number }[]) => typeof rows = (rows) => rows,
  until?: number,
): DayInput {
  const from_ms = instantOf(TZ, ...date);
  const to_ms = addDays(from_ms, 1, TZ);
  const rows = [];
  for (let at = from_ms; at <= to_ms; at += 5 * MIN)
    rows.push({ at, value: 1000 + (at - from_ms) / 3.6e6, quality: 0 });
  const kept = change(rows);
  const at_ms = Float64Array.from(kept, (row) => row.at);
  const quality = Int32Array.from(kept, (row) => row.quality);
  const values = Float64Array.from(kept, (row) => row.value);
  const computed = computeSlots({ quantity: 'import_kWh', at_ms, values, quality, starts_ms: null, from_ms, to_ms });
  const inDay = kept.filter((row) => row.at < to_ms).length;
  return {
    meter: 'main',
    day: date.map((n) => String(n).padStart(2, '0')).join('-'),
    from_ms,
    to_ms,
    until_ms: until ?? to_ms,
    time_zone: TZ,
    series: [{ quantity: 'import_kWh', at_ms: at_ms.slice(0, inDay), quality: quality.slice(0, inDay), ...computed }],
  };
}
const checkOf = (input: DayInput, name: string) => reportQuality(input).checks.find((check) => check.name === name)!;

describe('quality report', () => {
  for (const [date, slots] of [
    [[2026, 3, 29], 92],
    [[2026, 6, 1], 96],
    [[2026, 10, 25], 100],
  ] as const)
    it(`a good day of ${slots} slots passes every check`, () => {
      const report = reportQuality(dayOf([...date]));
      expect(report.state).toBe('ok');
      expect(report.checks.map((check) => [check.name, check.passed, check.count])).toEqual(
        ['schema', 'nulls', 'ranges', 'gaps', 'outliers'].map((name) => [name, true, 0]),
      );
      expect(report.checks[1]!.text).toBe(`All ${slots} slots are known.`);
      expect(report.checks[1]!.text_de).toBe(`Alle ${slots} Zeitscheiben sind bekannt.`);
    });

  it('a quantity that was never read before misses nothing before its first reading, and everything else after it', () => {
    const noon = 12 * 3.6e6;
    const young = dayOf([2026, 6, 1], (rows) => rows.filter((row) => row.at - rows[0]!.at >= noon));
    expect(checkOf(young, 'nulls').passed).toBe(false);
    young.series[0]!.since_ms = young.from_ms + noon;
    expect(reportQuality(young).state).toBe('ok');
    expect(checkOf(young, 'nulls').text).toBe('All 48 slots are known.');
    const holed = dayOf([2026, 6, 1], (rows) =>
      rows.filter((row) => row.at - rows[0]!.at >= noon && row.at - rows[0]!.at < 1.5 * noon),
    );
    holed.series[0]!.since_ms = holed.from_ms + noon;
    expect(checkOf(holed, 'gaps').count).toBe(1);
  });

  it('an hour without readings is a gap with its local time; its slots are known from the register', () => {
    const day = dayOf([2026, 6, 1], (rows) =>
      rows.filter((row) => row.at % 86_400_000 < 8 * 3.6e6 || row.at % 86_400_000 >= 9 * 3.6e6),
    );
    expect(checkOf(day, 'gaps')).toMatchObject({ passed: false, count: 1 });
    expect(checkOf(day, 'gaps').text).toBe('The meter was silent from 09:55; the longest silence took 65 minutes.');
    expect(checkOf(day, 'nulls').passed).toBe(true);
    expect(reportQuality(day).state).toBe('warning');
  });

  it('a day that ends at noon misses its other half', () => {
    const noon = instantOf(TZ, 2026, 6, 1, 12);
    const day = dayOf([2026, 6, 1], (rows) => rows.filter((row) => row.at < noon - 30 * MIN));
    expect(checkOf(day, 'nulls')).toMatchObject({ count: 50 });
    expect(checkOf(day, 'nulls').text).toMatch(/^50 of 96 slots have no value, from 11:30\.$/);
    expect(reportQuality(day).state).toBe('fault');
    expect(reportQuality({ ...day, until_ms: noon - 45 * MIN }).state).toBe('ok');
  });

  it('spikes, values out of range and times from a wrong clock are counted and named', () => {
    const day = dayOf([2026, 6, 1], (rows) => {
      rows[20]!.value = 90_000;
      rows[40] = { ...rows[40]!, value: 2e12, quality: Quality.OUT_OF_RANGE };
      rows[60]!.quality = Quality.CLOCK;
      return rows;
    });
    expect(checkOf(day, 'outliers').text).toBe('Recognised and left out of sums (spike): 01:40.');
    expect(checkOf(day, 'ranges').text).toBe('Values outside the plausible range were left out: 03:20.');
    expect(checkOf(day, 'schema').text).toMatch(/05:00/);
    expect(checkOf(day, 'nulls').passed).toBe(true);
  });

  it('a register that jumps for good is a fault', () => {
    const day = dayOf([2026, 6, 1], (rows) =>
      rows.map((row, i) => (i < 100 ? row : { ...row, value: row.value + 5e6 })),
    );
    expect(reportQuality(day).state).toBe('fault');
  });
});

describe('silence', () => {
  it('is more than a quarter of an hour, and more than five usual intervals', () => {
    expect(usualInterval([0, 60_000, 120_000, 300_000])).toBe(60_000);
    expect(usualInterval([0, 60_000])).toBeNull();
    expect(silenceLimit(60_000)).toBe(15 * MIN);
    expect(silenceLimit(3_600_000)).toBe(300 * MIN);
    expect(silenceLimit(null)).toBe(SLOT_MS);
  });
});
