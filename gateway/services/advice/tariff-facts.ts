/**
 * What the site's own past would have cost under the example tariffs, for the advice to look at another one. Worked out
 * once a day in the background, for the whole months of the last year that were measured; nobody waits for it.
 */
import { addMonths, localDate } from '../../../engine/model/time.ts';
import { marketsOf, metersOf, type Tariff, type TariffVersion } from '../../../engine/tariff/tariff.ts';
import type { TariffComparison } from '../../../recommender/context.ts';
import type { Base, Services } from '../../services.ts';
import type { CompareResult, CompareTask } from '../../workers/compare-tariffs.ts';
import { readEnergy, type SiteEnergyDeps } from '../bills/energy.ts';
import { monthStart } from '../bills.ts';
import { gatherBilling } from '../plans/billing.ts';
import { tariffExamples } from '../tariff-examples.ts';

export type TariffFacts = {
  /** The newest comparison; null where there is none yet. Begins the day's own where it is not made yet. */
  of(tenant: string): YearFacts | null;
};
export type YearFacts = {
  comparison: TariffComparison | null;
  /** What the site takes from the grid in a year, by the months that were measured. */
  year_kWh: number | null;
};
export type TariffFactsDeps = Pick<Base, 'clock' | 'log'> &
  SiteEnergyDeps & {
    tariffs: Pick<Services['tariffs'], 'versions' | 'current' | 'read'>;
    prices: Pick<Services['prices'], 'context'>;
    workers: Pick<Services['workers'], 'run'>;
    /** What is told apart from these; the examples of tariffs/ where it is left out. */
    examples?: () => readonly { id: string; yaml: string }[];
  };

const MONTHS = 12;
const COMPARE_MS = 120_000;
/** Share of a month's slots that must be measured. */
const MEASURED = 0.97;
/** 90 % of a normal distribution lie within so many standard errors. */
const NINETY_PERCENT = 1.645;
/** With a single month nothing is known of how months differ: half of the difference, either way. */
const ONE_MONTH = 0.5;
const FOR_EVER = '1970-01-01';

export function createTariffFacts(deps: TariffFactsDeps): TariffFacts {
  const known = new Map<string, { key: string; facts: YearFacts | null }>();
  const running = new Set<string>();

  return {
    of(tenant) {
      const key = keyOf(deps, tenant);
      const kept = known.get(tenant);
      if (kept?.key !== key && !running.has(tenant)) {
        running.add(tenant);
        compare(deps, tenant)
          .catch((error: unknown) => {
            deps.log.warn({ err: error, tenant_id: tenant }, 'tariffs could not be compared; tomorrow tries again');
            return null;
          })
          .then((facts) => known.set(tenant, { key, facts }))
          .finally(() => running.delete(tenant));
      }
      return kept?.facts ?? null;
    },
  };
}

/** A new day or another tariff is a new comparison. */
function keyOf({ clock, tariffs }: TariffFactsDeps, tenant: string): string {
  const versions = tariffs.versions(tenant).map(({ valid_from, at_ms }) => `${valid_from} ${at_ms}`);
  return [localDate(clock.now(), zoneOf(tariffs.current(tenant)?.tariff)), ...versions].join();
}

const zoneOf = (tariff: Tariff | undefined): string => tariff?.time_zone ?? 'UTC';

async function compare(deps: TariffFactsDeps, tenant: string): Promise<YearFacts | null> {
  const current = deps.tariffs.current(tenant)?.tariff;
  if (!current) return null;
  const bounds_ms = wholeMonths(deps.clock.now(), current.time_zone);
  const [from_ms, to_ms] = [bounds_ms[0]!, bounds_ms.at(-1)!];
  const { at_ms, import_kWh, export_kWh } = await readEnergy(deps, tenant, from_ms, to_ms, []);
  const measured = bounds_ms
    .slice(0, -1)
    .map((start_ms, k) => isMeasured(at_ms, import_kWh, start_ms, bounds_ms[k + 1]!));
  const first = measured.lastIndexOf(false) + 1;
  const months = measured.length - first;
  if (months === 0) return null;
  const bounds = bounds_ms.slice(first);
  const candidates = [{ id: 'current', tariff: current }, ...offersFor(deps, current)];
  const billings = await Promise.all(
    candidates.map(async ({ id, tariff }) => {
      const versions: TariffVersion[] = [{ valid_from: FOR_EVER, tariff }];
      return { id, billing: await gatherBilling(deps, tenant, versions, bounds) };
    }),
  );
  const cut = (values: Float64Array) => values.slice(at_ms.findIndex((at) => at >= bounds[0]!));
  const course = { import_kWh: cut(import_kWh), export_kWh: cut(export_kWh ?? import_kWh.map(() => 0)) };
  const task: CompareTask = { course, tariffs: billings };
  const results = await deps.workers.run<CompareResult>('compare-tariffs', task, { timeout_ms: COMPARE_MS });
  const year_kWh = (course.import_kWh.reduce((sum, kWh) => sum + (Number.isNaN(kWh) ? 0 : kWh), 0) * 12) / months;
  return { comparison: comparisonOf(candidates, results), year_kWh };
}

/** Starts of the last twelve whole local months, and the end of the newest. */
function wholeMonths(now_ms: number, time_zone: string): number[] {
  const this_month = monthStart(localDate(now_ms, time_zone).slice(0, 7), time_zone);
  return Array.from({ length: MONTHS + 1 }, (_, k) => addMonths(this_month, k - MONTHS, time_zone));
}

function isMeasured(at_ms: Float64Array, values: Float64Array, from_ms: number, to_ms: number): boolean {
  let [known, all] = [0, 0];
  for (let t = 0; t < at_ms.length; t++) {
    if (at_ms[t]! < from_ms || at_ms[t]! >= to_ms) continue;
    all++;
    if (!Number.isNaN(values[t]!)) known++;
  }
  return all > 0 && known >= MEASURED * all;
}

/** Examples in the same money and time zone, with the site's own market area; none that needs a meter of its own. */
function offersFor({ tariffs, examples = tariffExamples }: TariffFactsDeps, current: Tariff) {
  const area = marketsOf(current)[0]?.area ?? null;
  return examples().flatMap(({ id, yaml }) => {
    const { tariff } = tariffs.read(yaml);
    const fits = tariff && tariff.currency === current.currency && tariff.time_zone === current.time_zone;
    if (!fits || metersOf(tariff).length > 0 || tariff.name === current.name) return [];
    return [{ id, tariff: area === null ? tariff : inArea(tariff, area) }];
  });
}

function inArea(tariff: Tariff, area: string): Tariff {
  const moved = <Charge extends Tariff['energy'][number] | Tariff['feed_in'][number]>(charge: Charge): Charge =>
    charge.price.kind === 'market' ? { ...charge, price: { ...charge.price, area } } : charge;
  return {
    ...tariff,
    energy: tariff.energy.map(moved),
    feed_in: tariff.feed_in.map((charge) => {
      const { unless_negative } = charge;
      return moved({ ...charge, unless_negative: unless_negative && { ...unless_negative, area } });
    }),
  };
}

/** A year by the months that both have; how sure the difference is follows from how much it varies from month to month. */
export function comparisonOf(
  candidates: readonly { id: string; tariff: Pick<Tariff, 'name'> }[],
  results: CompareResult,
): TariffComparison | null {
  const own = results.find(({ id }) => id === 'current')!.months;
  const known = own.filter((total) => total !== null);
  if (known.length === 0) return null;
  const year = (12 * known.reduce((sum, total) => sum + total, 0)) / known.length;
  const nameOf = (id: string) => candidates.find((one) => one.id === id)!.tariff.name;
  return {
    current: { id: 'current', name: nameOf('current'), cost_year: year },
    offers: results.flatMap(({ id, months }) => {
      if (id === 'current') return [];
      const changes = months.flatMap((total, k) => (total === null || own[k] === null ? [] : [total - own[k]!]));
      if (changes.length < known.length) return [];
      const change_year = (12 * changes.reduce((a, b) => a + b, 0)) / changes.length;
      const doubt = doubtOf(changes);
      const [cost_year, reach] = [year + change_year, 12 * doubt];
      return [
        { id, name: nameOf(id), cost_year, low_year: cost_year - reach, high_year: cost_year + reach, until_ms: null },
      ];
    }),
  };
}

/** Half the width of the 90 % interval of a month's mean change. */
function doubtOf(changes: readonly number[]): number {
  const n = changes.length;
  const mean = changes.reduce((a, b) => a + b, 0) / n;
  if (n < 2) return ONE_MONTH * Math.abs(mean);
  const variance = changes.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (n - 1);
  return NINETY_PERCENT * Math.sqrt(variance / n);
}
