/** Bills of a site from what the stores hold: gaps, clock changes, and what another tariff would have cost. */
import { describe, expect, it } from 'vitest';
import { createPublicHolidays } from '../../../connectors/holidays/public.ts';
import type { MeterPoint } from '../../../engine/model/site.ts';
import { SLOT_MS } from '../../../engine/model/time.ts';
import type { Span } from '../../../engine/ports.ts';
import { parseTariff } from '../../../engine/tariff/read.ts';
import { billCsv, lineCsv } from '../../../gateway/services/bills/csv.ts';
import { createBillService } from '../../../gateway/services/bills.ts';
import { tariffExamples } from '../../../gateway/services/tariff-examples.ts';
import { tariffsOf } from '../../setup/simple-tariffs.ts';

const TZ = 'Europe/Berlin';
const FLAT = `name: Flat\ncurrency: EUR\ntime_zone: ${TZ}\nvat_percent: 0\nenergy:\n  - name: Energy\n    price_per_kWh: 0.25\n`;
const version = (yaml: string, valid_from = '1970-01-01') => ({
  ...{ valid_from, yaml, by: 'anna', at_ms: 0 },
  tariff: parseTariff(yaml),
});
const GRID: MeterPoint = {
  ...{ tenant: 'a', id: 'grid', site: 's', name: 'Grid', role: 'grid', device: 'd', channel: 'main' },
  ...{ parent: null, virtual: null },
};

type Stored = { slots?: (at_ms: number) => number; spans?: readonly Span[] };

function open(stored: Record<string, Stored>, options: { versions?: readonly string[]; now?: string } = {}) {
  const versions = (options.versions ?? [FLAT]).map((yaml) => version(yaml));
  const now_ms = Date.parse(options.now ?? '2026-12-31T12:00Z');
  const series = {
    slots: {
      read: async (_: string, { quantity, from_ms, to_ms }: { quantity: string; from_ms: number; to_ms: number }) => {
        const slots = stored[quantity]?.slots;
        const all = Array.from({ length: (to_ms - from_ms) / SLOT_MS }, (_, i) => from_ms + i * SLOT_MS);
        const at_ms = Float64Array.from(slots ? all.filter((at) => !Number.isNaN(slots(at))) : []);
        return { at_ms, values: at_ms.map((at) => slots!(at)), quality: new Int32Array(at_ms.length) };
      },
      spans: async (_: string, { quantity, from_ms, to_ms }: { quantity: string; from_ms: number; to_ms: number }) =>
        (stored[quantity]?.spans ?? []).filter((span) => span.to_ms > from_ms && span.to_ms <= to_ms),
    },
  };
  return createBillService({
    clock: { now: () => now_ms },
    series: series as never,
    meters: { list: () => [GRID], get: () => GRID },
    site: { get: () => ({ time_zone: TZ }) as never },
    tariffs: tariffsOf(() => versions),
    prices: { context: async () => ({ isHoliday: () => false, market: () => undefined }) },
  });
}
const at = (iso: string) => Date.parse(iso);

describe('the bill of a month', () => {
  it('has every slot of the months in which clocks change', async () => {
    const bills = open({ import_kWh: { slots: () => 1 } });
    const march = await bills.month('a', '2026-03');
    const october = await bills.month('a', '2026-10');
    expect([march.import_kWh, march.total]).toEqual([31 * 96 - 4, 743]);
    expect([october.import_kWh, october.total]).toEqual([31 * 96 + 4, 745]);
    expect([march.complete, october.complete]).toEqual([true, true]);
    expect(march.export_kWh, 'nothing measures what is fed in').toBeNull();
  });

  it('says which slots are missing and counts them as nothing', async () => {
    const hole = (time: number) => time >= at('2026-04-10T10:00Z') && time < at('2026-04-10T12:00Z');
    const bill = await open({ import_kWh: { slots: (time) => (hole(time) ? Number.NaN : 1) } }).month('a', '2026-04');
    expect(bill.missing).toEqual([
      { what: 'import', from_ms: at('2026-04-10T10:00Z'), to_ms: at('2026-04-10T12:00Z'), slots: 8 },
    ]);
    expect([bill.import_kWh, bill.total, bill.complete]).toEqual([2872, 718, false]);
    const nothing = await open({}).month('a', '2026-04');
    expect([nothing.import_kWh, nothing.total, nothing.lines[0]?.amount]).toEqual([null, null, null]);
    expect(nothing.missing[0]?.slots).toBe(2880);
  });

  it('shares the known energy of a long gap evenly, over the end of a month too, and says so', async () => {
    const [from_ms, to_ms] = [at('2026-04-30T21:00Z'), at('2026-04-30T23:00Z')];
    const stored = {
      import_kWh: {
        slots: (time: number) => (time >= from_ms && time < to_ms ? Number.NaN : 1),
        spans: [{ from_ms, to_ms, value: 80, quality: 1 }],
      },
    };
    const april = await open(stored).month('a', '2026-04');
    expect([april.import_kWh, april.spread_slots, april.missing]).toEqual([2876 + 40, 4, []]);
    const may = await open(stored).month('a', '2026-05');
    expect([may.import_kWh, may.spread_slots]).toEqual([2976 - 4 + 40, 4]);
  });

  it('of a month that runs counts until now, and none that is to come', async () => {
    const bills = open({ import_kWh: { slots: () => 1 } }, { now: '2026-06-02T22:07Z' });
    const bill = await bills.month('a', '2026-06');
    expect([bill.import_kWh, bill.complete, bill.missing]).toEqual([192, false, []]);
    await expect(bills.month('a', '2026-07')).rejects.toThrow('2026-07 is still to come.');
    await expect(bills.month('a', '2026-7')).rejects.toThrow('"2026-7" is no month.');
  });

  it('has no total while a price is missing, and names it', async () => {
    const market = FLAT.replace('price_per_kWh: 0.25', 'market: { area: DE-LU }');
    const bill = await open({ import_kWh: { slots: () => 1 } }, { versions: [market] }).month('a', '2026-04');
    expect([bill.total, bill.lines[0]?.amount, bill.lines[0]?.quantity]).toEqual([null, null, 2880]);
    expect(bill.unpriced).toMatchObject([{ what: 'The day-ahead price of DE-LU', slots: 2880 }]);
  });

  it('as CSV is a table whose amounts are those of the bill; names cannot become formulas', async () => {
    const evil = FLAT.replace('name: Energy', `name: '=HYPERLINK("x"), a'`);
    const bill = await open({ import_kWh: { slots: () => 1 } }, { versions: [evil] }).month('a', '2026-04');
    expect(billCsv(bill).split('\r\n')).toEqual([
      'line,kind,name,period,quantity,unit,unit_price,amount,currency,vat_percent',
      `1,energy,"'=HYPERLINK(""x""), a",,2880,kWh,0.25,720.00,EUR,0`,
      ',net,,,,,,720.00,EUR,',
      ',total,,,,,,720.00,EUR,',
      '',
    ]);
    const rows = lineCsv(bill.lines[0]!, 'EUR').split('\r\n');
    expect(rows.slice(0, 2)).toEqual([
      'from,to,quantity_kWh,price_EUR,amount_EUR',
      '2026-03-31T22:00:00.000Z,2026-03-31T22:15:00.000Z,1,0.25,0.25',
    ]);
    expect(rows).toHaveLength(2880 + 2);
  });
});

describe('a change of the tariff', () => {
  it('tells what past months would have cost, from the day on that it holds', async () => {
    const bills = open({ import_kWh: { slots: () => 1 } }, { now: '2026-06-02T22:00Z' });
    const { months, currency } = await bills.effect('a', '2026-04-16', parseTariff(FLAT.replace('0.25', '0.50')));
    expect(currency).toBe('EUR');
    expect(months).toEqual([
      { month: '2026-06', before: 48, after: 96 },
      { month: '2026-05', before: 744, after: 1488 },
      { month: '2026-04', before: 720, after: 1080 },
    ]);
  });

  it('is refused for a day that is none', async () => {
    const bills = open({ import_kWh: { slots: () => 1 } });
    for (const day of ['', '2026-02-30', '2026-7-1', 'x'])
      await expect(bills.effect('a', day, parseTariff(FLAT))).rejects.toThrow(`"${day}" is no day.`);
  });

  it('says of the examples that they can be read, with the holidays that the box knows', () => {
    const holidays = createPublicHolidays();
    const examples = tariffExamples();
    expect(examples.map(({ id }) => id)).toContain('no-tiers');
    for (const { yaml } of examples) expect(parseTariff(yaml, holidays).name).not.toBe('');
  });
});
