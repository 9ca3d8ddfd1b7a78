/** Totals of a meter point's registers, and the energy known over gaps. */
import { quantityInfo } from '../../../engine/model/quantity.ts';
import type { MeterPoint } from '../../../engine/model/site.ts';
import { addDays, dayStart, instantOf, localTime } from '../../../engine/model/time.ts';
import type { MeterSpan, MeterTotals } from '../../../web/pages/meter.ts';
import type { Ui } from '../../../web/ui.ts';
import type { Services } from '../../services.ts';

type Totals = Awaited<ReturnType<Services['data']['totals']>>;

/** Today, yesterday, this month and this year of each register, in local time. */
export function meterTotals(
  services: Services,
  tenant: string,
  point: MeterPoint,
  registers: readonly string[],
  { now_ms, time_zone: tz }: Ui,
): Promise<MeterTotals[]> {
  const today_ms = dayStart(now_ms, tz);
  const tomorrow_ms = addDays(today_ms, 1, tz);
  const yesterday_ms = addDays(today_ms, -1, tz);
  const { year } = localTime(now_ms, tz);
  const january_ms = instantOf(tz, year, 1, 1);
  return Promise.all(
    registers.map(async (quantity) => {
      const meters = [point.id];
      const [days, months] = await Promise.all([
        services.data.totals(tenant, {
          meters,
          quantity,
          from_ms: yesterday_ms,
          to_ms: tomorrow_ms,
          resolution: 'day',
          tz,
        }),
        services.data.totals(tenant, {
          meters,
          quantity,
          from_ms: january_ms,
          to_ms: tomorrow_ms,
          resolution: 'month',
          tz,
        }),
      ]);
      const [yesterday, today] = [valueAt(days, yesterday_ms), valueAt(days, today_ms)];
      const values = months.rows[0]?.values ?? new Float64Array();
      const known = values.filter((value) => !Number.isNaN(value));
      return {
        quantity,
        unit: quantityInfo(quantity)?.unit ?? '',
        today,
        yesterday,
        month: known.length === 0 ? null : orNull(values.at(-1)),
        year: known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0),
      };
    }),
  );
}

function valueAt(totals: Totals, at_ms: number): number | null {
  const period = totals.bounds_ms.indexOf(at_ms);
  return period < 0 ? null : orNull(totals.rows[0]?.values[period]);
}

function orNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}

const SPAN_DAYS = 31;
const MOST_SPANS = 5;

/** Gaps of the last month over which only the register's difference is known, newest first. */
export async function meterSpans(
  services: Services,
  tenant: string,
  point: MeterPoint,
  registers: readonly string[],
  { now_ms, time_zone }: Ui,
): Promise<MeterSpan[]> {
  const from_ms = addDays(now_ms, -SPAN_DAYS, time_zone);
  const found = await Promise.all(
    registers.map(async (quantity) => {
      const spans = await services.series.slots.spans(tenant, { meter: point.id, quantity, from_ms, to_ms: now_ms });
      return spans.map((span) => ({ ...span, quantity, unit: quantityInfo(quantity)?.unit ?? '' }));
    }),
  );
  return found
    .flat()
    .sort((a, b) => b.to_ms - a.to_ms)
    .slice(0, MOST_SPANS);
}
