/** The bill of a month: the site's energy under its tariff; and what another tariff would have cost. */
import { InvalidDataError } from '../../engine/errors.ts';
import { addMonths, instantOf, localDate } from '../../engine/model/time.ts';
import { type Bill, billOf } from '../../engine/tariff/bill.ts';
import { historyStart } from '../../engine/tariff/bill-demand.ts';
import { metersOf, type TariffVersion } from '../../engine/tariff/tariff.ts';
import { coveredParts } from '../../engine/tariff/versions.ts';
import type { Base, PriceService, SiteService, TariffService } from '../services.ts';
import { readEnergy, type SiteEnergyDeps } from './bills/energy.ts';
import { requireDay } from './tariffs.ts';

/** What a change of the tariff does to one month; null where its bill has no total. */
export type MonthChange = { month: string; before: number | null; after: number | null };
export type TariffEffect = { currency: string; months: readonly MonthChange[] };

export interface BillService {
  /** @param month `YYYY-MM`, local @throws InvalidDataError where no tariff holds, or the month is still to come */
  month(tenant: string, month: string): Promise<Bill>;
  /** The bills of past months that a version from `valid_from` on would change, before and after; newest first.
   * @param tariff null: the version of that day is removed */
  effect(tenant: string, valid_from: string, tariff: TariffVersion['tariff'] | null): Promise<TariffEffect>;
}

type Deps = Pick<Base, 'clock'> &
  SiteEnergyDeps & {
    site: Pick<SiteService, 'get'>;
    tariffs: Pick<TariffService, 'versions'>;
    prices: Pick<PriceService, 'context'>;
  };

/** Months that a change is worked out for. */
const MOST_MONTHS = 13;

export function createBillService(deps: Deps): BillService {
  const { clock, prices, tariffs } = deps;

  async function bill(tenant: string, versions: readonly TariffVersion[], from_ms: number): Promise<Bill> {
    const time_zone = zoneOf(versions, from_ms);
    const to_ms = addMonths(from_ms, 1, time_zone);
    const now_ms = clock.now();
    const start_ms = historyStart(versions, from_ms, to_ms);
    const parts = coveredParts(versions, from_ms, to_ms);
    const meters = parts.flatMap(({ tariff }) => metersOf(tariff));
    const [energy, past, context] = await Promise.all([
      readEnergy(deps, tenant, from_ms, Math.min(to_ms, now_ms), meters),
      start_ms < from_ms ? readEnergy(deps, tenant, start_ms, from_ms, []) : null,
      prices.context(parts, from_ms, to_ms),
    ]);
    const before = past ?? { at_ms: new Float64Array(), import_kWh: new Float64Array() };
    return billOf({ versions, from_ms, to_ms, now_ms, energy, past: before, context });
  }

  const totalOf = async (tenant: string, versions: readonly TariffVersion[], from_ms: number) => {
    try {
      return (await bill(tenant, versions, from_ms)).total;
    } catch (error) {
      if (error instanceof InvalidDataError) return null;
      throw error;
    }
  };

  return {
    async month(tenant, month) {
      const versions = tariffs.versions(tenant);
      const from_ms = monthStart(month, deps.site.get(tenant)?.time_zone ?? 'UTC');
      if (from_ms > clock.now())
        throw new InvalidDataError(`${month} is still to come.`, 'Ask for a month that began.');
      return bill(tenant, versions, monthStart(month, zoneOf(versions, from_ms)));
    },
    async effect(tenant, valid_from, tariff) {
      requireDay(valid_from);
      const versions = tariffs.versions(tenant);
      const others = versions.filter((one) => one.valid_from !== valid_from);
      const changed: TariffVersion[] = tariff ? [...others, { valid_from, tariff }] : others;
      const time_zone = tariff?.time_zone ?? zoneOf(versions, clock.now());
      const next =
        changed
          .map((one) => one.valid_from)
          .filter((day) => day > valid_from)
          .sort()[0] ?? '9999';
      const months: MonthChange[] = [];
      for (let back = 0; back < MOST_MONTHS; back++) {
        const from_ms = addMonths(clock.now(), -back, time_zone);
        const day = localDate(from_ms, time_zone);
        const last_day = localDate(addMonths(from_ms, 1, time_zone) - 1, time_zone);
        if (last_day < valid_from) break;
        if (day >= next) continue;
        const before = await totalOf(tenant, versions, from_ms);
        const after = await totalOf(tenant, changed, from_ms);
        if (before !== null || after !== null) months.push({ month: day.slice(0, 7), before, after });
      }
      return { currency: tariff?.currency ?? versions[0]?.tariff.currency ?? 'EUR', months };
    },
  };
}

/** The zone of the version that holds at the instant. */
function zoneOf(versions: readonly TariffVersion[], at_ms: number): string {
  const [part] = coveredParts(versions, at_ms, at_ms + 1);
  return (part ?? versions[0])?.tariff.time_zone ?? 'UTC';
}

/** @throws InvalidDataError */
export function monthStart(month: string, time_zone: string): number {
  const match = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(month);
  if (!match || match[1]! < '1971')
    throw new InvalidDataError(`"${month}" is no month.`, 'Write year and month, such as 2026-04.');
  return instantOf(time_zone, Number(match[1]), Number(match[2]), 1);
}
