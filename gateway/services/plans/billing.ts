/** What bills of other courses than the measured one are made from, in a form that a worker can be handed. */
import { type Bill, billOf } from '../../../engine/tariff/bill.ts';
import { historyStart } from '../../../engine/tariff/bill-demand.ts';
import type { MarketSeries, TariffContext } from '../../../engine/tariff/prices.ts';
import {
  type HolidayCalendar,
  type Market,
  marketsOf,
  metersOf,
  type TariffVersion,
} from '../../../engine/tariff/tariff.ts';
import { coveredParts } from '../../../engine/tariff/versions.ts';
import type { PriceService } from '../../services.ts';
import { readEnergy, type SiteEnergyDeps } from '../bills/energy.ts';

export type Billing = {
  versions: readonly TariffVersion[];
  markets: readonly { market: Market; series: MarketSeries }[];
  /** Starts of the billed months, and the end of the last one. */
  bounds_ms: readonly number[];
  at_ms: Float64Array;
  /** Of meter points that the tariff charges apart: the same in every course. */
  meters: Readonly<Record<string, Float64Array>>;
  past: { at_ms: Float64Array; import_kWh: Float64Array };
};
export type CourseEnergy = { import_kWh: Float64Array; export_kWh: Float64Array };

type Deps = SiteEnergyDeps & { prices: Pick<PriceService, 'context'> };

/** @throws InvalidDataError where no tariff covers the time */
export async function gatherBilling(
  deps: Deps,
  tenant: string,
  versions: readonly TariffVersion[],
  bounds_ms: readonly number[],
): Promise<Billing> {
  const [from_ms, to_ms] = [bounds_ms[0]!, bounds_ms.at(-1)!];
  const parts = coveredParts(versions, from_ms, to_ms);
  const start_ms = historyStart(versions, from_ms, to_ms);
  const names = parts.flatMap(({ tariff }) => metersOf(tariff));
  const [energy, past, context] = await Promise.all([
    readEnergy(deps, tenant, from_ms, to_ms, names),
    start_ms < from_ms ? readEnergy(deps, tenant, start_ms, from_ms, []) : null,
    deps.prices.context(parts, from_ms, to_ms),
  ]);
  const asked = new Map(
    parts.flatMap(({ tariff }) => marketsOf(tariff).map((one) => [`${one.area} ${one.market}`, one])),
  );
  return {
    versions: versions.map(({ valid_from, tariff }) => ({ valid_from, tariff })),
    markets: [...asked.values()].flatMap((market) => {
      const series = context.market(market);
      if (!series) return [];
      const { currency, vat_included, at_ms, values } = series;
      return [{ market, series: { currency, vat_included, at_ms, values } }];
    }),
    ...{ bounds_ms, at_ms: energy.at_ms, meters: energy.meters },
    past: { at_ms: past?.at_ms ?? new Float64Array(), import_kWh: past?.import_kWh ?? new Float64Array() },
  };
}

/** The bill of each month of a course; yearly charges and ratchets see the months before it in the same course. */
export function billCourse(billing: Billing, course: CourseEnergy, isHoliday: HolidayCalendar): Bill[] {
  const { versions, bounds_ms, at_ms } = billing;
  const context: TariffContext = {
    isHoliday,
    market: ({ area, market }) =>
      billing.markets.find((one) => one.market.area === area && one.market.market === market)?.series,
  };
  return bounds_ms.slice(0, -1).map((from_ms, k) => {
    const to_ms = bounds_ms[k + 1]!;
    const [first, end] = [indexOf(at_ms, from_ms), indexOf(at_ms, to_ms)];
    const cut = (values: Float64Array) => values.slice(first, end);
    const energy = {
      ...{ at_ms: cut(at_ms), import_kWh: cut(course.import_kWh), export_kWh: cut(course.export_kWh) },
      meters: Object.fromEntries(Object.entries(billing.meters).map(([id, values]) => [id, cut(values)])),
    };
    const past = {
      at_ms: Float64Array.from([...billing.past.at_ms, ...at_ms.slice(0, first)]),
      import_kWh: Float64Array.from([...billing.past.import_kWh, ...course.import_kWh.slice(0, first)]),
    };
    const until_ms = Math.min(to_ms, (at_ms.at(-1) ?? from_ms) + 900_000);
    return billOf({ versions, from_ms, to_ms, now_ms: until_ms, energy, past, context });
  });
}

function indexOf(at_ms: Float64Array, instant_ms: number): number {
  const found = at_ms.findIndex((at) => at >= instant_ms);
  return found < 0 ? at_ms.length : found;
}
