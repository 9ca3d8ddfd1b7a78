/** The bills of the sample building: a business with Leistungspreis, with a gap and a month that runs. */
import { addMonths, SLOT_MS } from '../../engine/model/time.ts';
import type { Clock } from '../../engine/ports.ts';
import { billOf } from '../../engine/tariff/bill.ts';
import { parseTariff } from '../../engine/tariff/read.ts';
import { type BillService, monthStart } from '../../gateway/services/bills.ts';
import { tariffExamples } from '../../gateway/services/tariff-examples.ts';
import { CURVES } from './sample-curves.ts';
import { SITE } from './sample-site.ts';

const HOUR = 4;

export function sampleBills(clock: Clock): BillService {
  const yaml = tariffExamples().find(({ id }) => id === 'de-commercial')!.yaml;
  const versions = [{ valid_from: '2026-01-01', tariff: parseTariff(yaml) }];
  const none = new Float64Array();
  return {
    month: async (_, month) => {
      const from_ms = monthStart(month, SITE.time_zone);
      const to_ms = addMonths(from_ms, 1, SITE.time_zone);
      const count = Math.floor((Math.min(to_ms, clock.now()) - from_ms) / SLOT_MS);
      const at_ms = Float64Array.from({ length: count }, (_, i) => from_ms + i * SLOT_MS);
      const gap = (i: number) => i >= 400 && i < 412;
      const import_kWh = at_ms.map((at, i) => (gap(i) ? Number.NaN : CURVES.load(at) / 1000 / HOUR));
      return billOf({
        ...{ versions, from_ms, to_ms, now_ms: clock.now(), past: { at_ms: none, import_kWh: none } },
        energy: { at_ms, import_kWh, export_kWh: null, meters: {} },
        context: { isHoliday: () => false, market: () => undefined },
      });
    },
    effect: async () => ({ currency: 'EUR', months: [{ month: '2026-05', before: 412.3, after: 398.12 }] }),
  };
}
