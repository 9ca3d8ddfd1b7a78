/** The lines of a bill for power. */
import { addMonths } from '../model/time.ts';
import type { BillPart } from './bill.ts';
import {
  type BilledPeak,
  billedPeak,
  demandCost,
  demandPeriod,
  type ImportSlots,
  type IntervalMean,
  intervalMeans,
} from './demand.ts';
import { type DraftLine, rowsOf } from './line.ts';
import { daysOfMonth } from './shares.ts';
import type { DemandCharge, HolidayCalendar, Tariff, TariffVersion } from './tariff.ts';
import { inParts } from './versions.ts';

/**
 * Since when the import must be known to bill [from_ms, to_ms): the begin of the year for yearly demand charges, and
 * the months that ratchets look back on; `from_ms` where nothing of the past counts.
 */
export function historyStart(versions: readonly TariffVersion[], from_ms: number, to_ms: number): number {
  let start_ms = from_ms;
  for (const { tariff } of inParts(versions, from_ms, to_ms))
    for (const charge of tariff.demand) {
      const period = demandPeriod(charge, from_ms, tariff.time_zone);
      start_ms = Math.min(start_ms, addMonths(period.from_ms, -(charge.ratchet?.months ?? 0), tariff.time_zone));
    }
  return start_ms;
}

/**
 * A monthly charge is due by its peaks within the part of the month that the version holds for, for that share of the
 * month's days. A yearly charge is due by the peaks since the begin of the year (or of the version), for the months so
 * far as twelfths, less what the months before were billed: a line of its own, so that twelve bills are the year's to the cent.
 */
export function demandLines(part: BillPart): DraftLine[] {
  const { tariff, energy, past, context, until_ms } = part;
  if (until_ms <= part.from_ms || tariff.demand.length === 0) return [];
  const taken = {
    at_ms: Float64Array.from([...past.at_ms, ...energy.at_ms]),
    kWh: Float64Array.from([...past.import_kWh, ...energy.import_kWh]),
  };
  return tariff.demand.flatMap((charge) => {
    const means = intervalMeans(tariff, charge, taken, context.isHoliday);
    return charge.period === 'month' ? [monthly(charge, part, means)] : yearly(charge, part, means);
  });
}

function monthly(charge: DemandCharge, part: BillPart, means: readonly IntervalMean[]): DraftLine {
  const { tariff, from_ms, to_ms, until_ms } = part;
  const peak = billedPeak(charge, within(means, from_ms, until_ms), ratchetPeak(charge, part, from_ms, means));
  const share = daysOfMonth(from_ms, to_ms, tariff.time_zone);
  const line = lineOf(charge, peak, share);
  return { ...line, exact: line.quantity === null ? null : demandCost(charge.price, peak.billed_kW) * share };
}

function yearly(charge: DemandCharge, part: BillPart, means: readonly IntervalMean[]): DraftLine[] {
  const { tariff, from_ms, to_ms, until_ms } = part;
  const year_ms = demandPeriod(charge, from_ms, tariff.time_zone).from_ms;
  const start_ms = Math.max(year_ms, part.begins_ms);
  const ratchet_kW = ratchetPeak(charge, part, start_ms, means);
  const upTo = (end_ms: number, months_until_ms: number): DraftLine => {
    const peak = billedPeak(charge, within(means, start_ms, end_ms), ratchet_kW);
    const share = daysOfMonth(start_ms, months_until_ms, tariff.time_zone) / 12;
    const line = lineOf(charge, peak, share);
    return { ...line, exact: line.quantity === null ? null : demandCost(charge.price, peak.billed_kW) * share };
  };
  const now = upTo(until_ms, to_ms);
  if (start_ms >= from_ms) return [now];
  const before = upTo(from_ms, from_ms);
  // what nothing was known of was not charged either
  if (before.exact === null) return [now];
  return [now, { ...before, kind: 'demand_billed', exact: -before.exact }];
}

function within(means: readonly IntervalMean[], from_ms: number, to_ms: number): IntervalMean[] {
  return means.filter((mean) => mean.from_ms >= from_ms && mean.from_ms < to_ms);
}

/** The largest measured power of each month that the ratchet looks back on; 0 without one. */
function ratchetPeak(
  charge: DemandCharge,
  { tariff }: Pick<BillPart, 'tariff'>,
  start_ms: number,
  means: readonly IntervalMean[],
): number {
  let largest = 0;
  for (let back = 1; back <= (charge.ratchet?.months ?? 0); back++) {
    const from_ms = addMonths(start_ms, -back, tariff.time_zone);
    const month = within(means, from_ms, addMonths(from_ms, 1, tariff.time_zone));
    largest = Math.max(largest, billedPeak(charge, month).measured_kW);
  }
  return largest;
}

/** For each charge with a ratchet the power that it looks back on from `at_ms`; what is not known counts nothing. */
export function ratchets(
  tariff: Tariff,
  taken: ImportSlots,
  at_ms: number,
  isHoliday: HolidayCalendar,
): Record<string, number> {
  return Object.fromEntries(
    tariff.demand.flatMap((charge) => {
      if (!charge.ratchet) return [];
      const { from_ms } = demandPeriod(charge, at_ms, tariff.time_zone);
      const means = intervalMeans(tariff, charge, taken, isHoliday);
      return [[charge.name, ratchetPeak(charge, { tariff }, from_ms, means)]];
    }),
  );
}

/** `quantity` null: no interval of the period is known and nothing else says how much power is billed. */
function lineOf(charge: DemandCharge, peak: BilledPeak, share: number): Omit<DraftLine, 'exact' | 'cents'> {
  const { price } = charge;
  const unit_price = price.kind === 'linear' ? price.per_kW * share : null;
  const each = (unit_price ?? Number.NaN) / charge.peaks.count;
  return {
    ...{ kind: 'demand', name: charge.name, period: null, unit: 'kW', vat_percent: charge.vat_percent, unit_price },
    quantity: peak.peaks.length === 0 ? null : peak.billed_kW,
    rows: rowsOf(
      peak.peaks.map(({ from_ms, to_ms }) => [from_ms, to_ms]),
      peak.peaks.map(({ kW }) => [kW, each]),
    ),
  };
}
