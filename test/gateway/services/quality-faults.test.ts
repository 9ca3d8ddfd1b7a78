import { beforeEach, describe, expect, it } from 'vitest';
import type { MeterPoint } from '../../../engine/model/site.ts';
import { HOUR_MS, instantOf, localTime, SLOT_MS } from '../../../engine/model/time.ts';
import { alertWords } from '../../../gateway/alert-words.ts';
import type { QualityDeps } from '../../../gateway/services/quality.ts';
import { createFaultWatch } from '../../../gateway/services/quality-faults.ts';
import { createQualityWatch } from '../../../gateway/services/quality-watch.ts';
import type { Alert, AlertKind } from '../../../gateway/services.ts';

const TZ = 'Europe/Berlin';
const at = (month: number, day: number, hour = 0, minute = 0) => instantOf(TZ, 2026, month, day, hour, minute);
const point = { id: 'hall', name: 'Hall 3', role: 'load', virtual: null, device: 'd' } as MeterPoint;

describe('alerts about faults that weeks of the past show', () => {
  let now_ms: number;
  let open: Map<AlertKind, Alert>;
  let kWhOf: (at_ms: number, hour: number) => number;
  let deps: QualityDeps;

  beforeEach(() => {
    now_ms = at(4, 9, 10, 20);
    open = new Map();
    kWhOf = (at_ms, hour) => (hour >= 7 && hour < 20 ? 2.5 : 0.5) + ((at_ms / SLOT_MS) % 13) / 100;
    deps = {
      clock: { now: () => now_ms },
      site: { get: () => ({ time_zone: TZ, currency: 'EUR' }), tenants: () => ['a'] },
      meters: { list: () => [point], get: () => point, ofDevice: () => [point] },
      alerts: {
        raise: async (_: string, kind: AlertKind, object: string, severity: 'warning', detail: Alert['detail']) => {
          const opened_ms = Number(detail.since_ms);
          open.set(kind, { kind, object, severity, detail, opened_ms, closed_ms: null } as Alert);
        },
        clear: async (_: string, kind: AlertKind) => void open.delete(kind),
        list: async () => [...open.values()],
      },
      series: {
        list: async () => [{ meter: 'hall', quantity: 'import_kWh' }],
        slots: {
          read: async (_: string, { from_ms, to_ms }: { from_ms: number; to_ms: number }) => {
            const count = (to_ms - from_ms) / SLOT_MS;
            const at_ms = Float64Array.from({ length: count }, (_, i) => from_ms + i * SLOT_MS);
            const values = at_ms.map((slot_ms) => kWhOf(slot_ms, localTime(slot_ms, TZ).hour));
            return { at_ms, values, quality: new Int32Array(count) };
          },
        },
      },
    } as unknown as QualityDeps;
  });
  const words = (kind: AlertKind, language: 'en' | 'de') => {
    const named = { ...deps, devices: { get: () => null } } as unknown as Parameters<typeof alertWords>[0];
    return alertWords(named, 'a', open.get(kind)!, language, now_ms).text;
  };
  const round = () => createFaultWatch(deps).round('a');

  it('none for a meter that works', async () => {
    await round();
    expect([...open.keys()]).toEqual([]);
  });

  it('high load at night: since when, how much, and what is usual; over when the night is as before', async () => {
    const usual = kWhOf;
    kWhOf = (slot_ms, hour) => (slot_ms >= at(4, 8) && slot_ms < at(4, 9, 6) && hour < 6 ? 2.5 : usual(slot_ms, hour));
    await round();
    expect([...open.keys()]).toEqual(['night_load']);
    expect(open.get('night_load')).toMatchObject({ opened_ms: at(4, 8), object: 'hall' });
    expect(words('night_load', 'en')).toMatch(/^At night Hall 3 takes 10.*kWh an hour since .*Usual is 2\.\d+.*kWh\.$/);
    expect(words('night_load', 'de')).toMatch(
      /^Nachts braucht Hall 3 seit .* 10.*kWh je Stunde. Üblich sind 2,\d+.*kWh/,
    );
    now_ms = at(4, 11, 10);
    await round();
    expect([...open.keys()]).toEqual([]);
  });

  it('what charges a battery at night is no load', async () => {
    const usual = kWhOf;
    kWhOf = (slot_ms, hour) => (slot_ms >= at(4, 8) && hour < 6 ? 2.5 : usual(slot_ms, hour));
    const battery = { ...point, role: 'battery' } as MeterPoint;
    const meters = { list: () => [battery], get: () => battery };
    const list = async () => [{ meter: 'hall', quantity: 'export_kWh' }];
    await createFaultWatch({ ...deps, meters, series: { ...deps.series, list } }).round('a');
    expect([...open.keys()]).toEqual([]);
  });

  it('a standstill and a gap, with their length and what is usual', async () => {
    const usual = kWhOf;
    kWhOf = (slot_ms, hour) => (slot_ms >= at(4, 8, 12) ? 0 : usual(slot_ms, hour));
    await round();
    expect([...open.keys()]).toEqual(['meter_standstill']);
    expect(words('meter_standstill', 'en')).toMatch(
      /^The meter Hall 3 has shown the same each hour since .*: 0.*kWh\. Usual/,
    );
    kWhOf = (slot_ms, hour) => (slot_ms >= at(4, 9, 1) && slot_ms < at(4, 9, 7) ? NaN : usual(slot_ms, hour));
    await round();
    expect([...open.keys()]).toEqual(['meter_gap']);
    expect(words('meter_gap', 'en')).toMatch(
      /^The meter Hall 3 was silent for 6 hours from .*01:00\. Usual then is \d.*kWh an hour\.$/,
    );
  });

  it('silence that goes on is not told twice', async () => {
    const usual = kWhOf;
    kWhOf = (slot_ms, hour) => (slot_ms >= at(4, 9, 1) ? NaN : usual(slot_ms, hour));
    await round();
    expect([...open.keys()]).toEqual([]);
  });

  it('what the computing of slots found has an alert with its amount', async () => {
    const found = (kind: 'jump' | 'unit' | 'mixed', from: number, to: number) =>
      createQualityWatch(deps).found([
        {
          ...{ tenant: 'a', meter: 'hall', quantity: 'import_kWh', from_ms: now_ms - HOUR_MS, to_ms: now_ms },
          events: [{ kind, at_ms: now_ms - HOUR_MS, from, to }],
        },
      ]);
    await found('jump', 500.5, 530.5);
    await found('unit', 500.4, 500_500);
    await found('mixed', 5000, 120);
    expect([...open.keys()].sort()).toEqual(['meters_mixed', 'register_jump', 'unit_changed']);
    expect(words('register_jump', 'en')).toMatch(/^The register of Hall 3 jumped by 30.*kWh at 09:20/);
    expect(words('register_jump', 'de')).toMatch(/^Das Zählwerk von Hall 3 sprang um 09:20 um 30.*kWh weiter/);
    expect(words('unit_changed', 'en')).toMatch(/counts in another unit since 09:20: 500.*kWh became 500.*/);
    expect(words('meters_mixed', 'en')).toContain('Two meters send under the name of Hall 3');
  });
});
