/** One update of an area: which days are missing, which sources to ask, what to store. */
import type { PriceMarket } from '../../../engine/model/price.ts';
import { addDays, dayStart, SLOT_MS } from '../../../engine/model/time.ts';
import type { PriceProvider, PriceTable, StoredPrices } from '../../../engine/ports.ts';
import type { Base } from '../../services.ts';
import { acceptedSlots, byDay, rankOf } from './merge.ts';
import type { RunLog } from './runs.ts';
import { areaOf, marketDays, PATIENCE_MS, publicationTime } from './schedule.ts';

/** Days that are fetched at first start, where the source has them. */
const BACKFILL_DAYS = 60;
/** Most days of one request: providers cut longer ones. */
const MOST_DAYS = 30;
const REAL_TIME_DAYS = 3;
/** Days back in which the prices of a source that stood in are replaced. */
const IMPROVED_DAYS = 7;

export type Range = { from_ms: number; to_ms: number };
export type UpdateDeps = Pick<Base, 'clock' | 'bus'> & {
  table: PriceTable;
  runs: RunLog;
  providers: readonly PriceProvider[];
  /** Names of the sources, best first. */
  order: readonly string[];
};

export type UpdateOutcome = {
  /** How many prices came. */
  stored: number;
  /** Whether a better source is still to be heard for today or tomorrow. */
  improvable: boolean;
  /** Whether every missing day was asked for with an answer, be it an empty one. */
  answered: boolean;
};

/**
 * Fetches what is missing of [60 days ago, tomorrow], asking the next source where one fails or stays empty. A source
 * that fails is not asked again in this update.
 * @param has_backfill whether the past is asked for too
 */
export async function updateArea(
  deps: UpdateDeps,
  area: string,
  market: PriceMarket,
  has_backfill: boolean,
  signal: AbortSignal,
): Promise<UpdateOutcome> {
  const providers = deps.providers.filter((one) => one.markets.includes(market) && one.serves(area));
  const best = providers[0]?.name;
  const down = new Set<PriceProvider>();
  let [stored, answered] = [0, true];
  for (const range of await missingRanges(deps, area, market, has_backfill, best)) {
    let heard = false;
    for (const provider of providers) {
      if (signal.aborted) return { stored, improvable: false, answered: false };
      if (down.has(provider)) continue;
      const outcome = await runProvider(deps, provider, area, market, range, signal);
      stored += outcome.stored;
      if (outcome.failed) {
        down.add(provider);
        continue;
      }
      heard = true;
      // before and shortly after publication an empty answer is normal: no reason to ask everybody
      if (isPatient(deps, area, market, range) || !(await isIncomplete(deps, area, market, range))) break;
    }
    answered &&= heard;
  }
  if (stored > 0) deps.bus.publish({ type: 'prices', tenant: null, area });
  const { today_ms, after_ms } = marketDays(area, deps.clock.now());
  const improvable = await isSecondBest(deps.table, area, market, today_ms, after_ms, deps.order, best);
  return { stored, improvable, answered };
}

/**
 * Days without a price in every slot, and near days whose prices came from a lesser source than the first: a source
 * that stood in is asked to step back. Joined to ranges; the newest first, as today matters most.
 */
async function missingRanges(
  { table, clock, order }: UpdateDeps,
  area: string,
  market: PriceMarket,
  has_backfill: boolean,
  best: string | undefined,
): Promise<Range[]> {
  const now_ms = clock.now();
  const { time_zone } = areaOf(area);
  const { today_ms, tomorrow_ms, after_ms } = marketDays(area, now_ms);
  const days = market === 'real-time' ? REAL_TIME_DAYS : BACKFILL_DAYS;
  const first_ms = has_backfill ? addDays(today_ms, -days, time_zone) : today_ms;
  const last_ms = market === 'real-time' ? tomorrow_ms : after_ms;
  const recent_ms = has_backfill ? addDays(today_ms, -IMPROVED_DAYS, time_zone) : today_ms;
  const stored = await table.read(area, market, first_ms, last_ms);
  const known = knownSlots(stored);
  const better_ms = hasLesser(stored, order, best) ? recent_ms : last_ms;
  const ranges: Range[] = [];
  for (let day = first_ms; day < last_ms; day = addDays(day, 1, time_zone)) {
    const end = addDays(day, 1, time_zone);
    const is_whole = isComplete(known, day, market === 'real-time' ? Math.min(end, now_ms) : end);
    if (is_whole && !(day >= better_ms && (await isSecondBest(table, area, market, day, end, order, best)))) continue;
    const range = ranges.at(-1);
    const joins = range?.to_ms === day && (day - range.from_ms) / 86_400_000 < MOST_DAYS && day !== tomorrow_ms;
    if (range && joins) range.to_ms = end;
    else ranges.push({ from_ms: day, to_ms: end });
  }
  return ranges.reverse();
}

/** Whether a price of [from_ms, to_ms) came from a lesser source than `best`. */
async function isSecondBest(
  table: PriceTable,
  area: string,
  market: PriceMarket,
  from_ms: number,
  to_ms: number,
  order: readonly string[],
  best: string | undefined,
): Promise<boolean> {
  return hasLesser(await table.read(area, market, from_ms, to_ms), order, best);
}

function hasLesser({ sources }: StoredPrices, order: readonly string[], best: string | undefined): boolean {
  return best !== undefined && sources.some((source) => rankOf(source, order) > rankOf(best, order));
}

function knownSlots({ at_ms, values }: StoredPrices): ReadonlySet<number> {
  return new Set(Array.from(at_ms).filter((_, i) => !Number.isNaN(values[i])));
}

function isComplete(known: ReadonlySet<number>, from_ms: number, to_ms: number): boolean {
  for (let at_ms = from_ms; at_ms < to_ms; at_ms += SLOT_MS) if (!known.has(at_ms)) return false;
  return true;
}

async function isIncomplete({ table }: UpdateDeps, area: string, market: PriceMarket, range: Range): Promise<boolean> {
  const known = knownSlots(await table.read(area, market, range.from_ms, range.to_ms));
  return !isComplete(known, range.from_ms, range.to_ms);
}

/** Whether an empty answer for the range is what one expects now. */
function isPatient({ clock }: UpdateDeps, area: string, market: PriceMarket, range: Range): boolean {
  if (market === 'real-time') return true;
  const now_ms = clock.now();
  return range.from_ms > now_ms && now_ms < publicationTime(area, now_ms) + PATIENCE_MS;
}

async function runProvider(
  deps: UpdateDeps,
  provider: PriceProvider,
  area: string,
  market: PriceMarket,
  range: Range,
  signal: AbortSignal,
): Promise<{ stored: number; failed: boolean }> {
  const started_ms = deps.clock.now();
  let [rows, fault]: [number, string | null] = [0, null];
  let stored = 0;
  try {
    const series = await provider.fetch({ area, market, ...range, signal });
    signal.throwIfAborted();
    rows = series.slots.length;
    stored = await storeSeries(deps, series);
  } catch (error) {
    fault = (error as Error).message;
  }
  const run = { provider: provider.name, area, market, started_ms, ended_ms: deps.clock.now(), ...range, rows, fault };
  await deps.runs.record(run);
  return { stored, failed: fault !== null };
}

/** Stores what the rule in merge.ts lets pass. @returns how many slots. */
export async function storeSeries(
  { table, clock, order }: Pick<UpdateDeps, 'table' | 'clock' | 'order'>,
  series: Parameters<PriceTable['write']>[0],
): Promise<number> {
  const { time_zone } = areaOf(series.area);
  let count = 0;
  for (const day of byDay(series.slots, time_zone)) {
    const stored = await table.read(series.area, series.market, day.from_ms, day.to_ms);
    const slots = acceptedSlots({ source: series.source, slots: day.slots }, stored, order);
    if (slots.length > 0) await table.write({ ...series, slots }, clock.now());
    count += slots.length;
  }
  return count;
}

/** End of the last slot with a price, of those that matter now. */
export async function knownUntil(
  table: PriceTable,
  area: string,
  market: PriceMarket,
  now_ms: number,
): Promise<number | null> {
  const from_ms = dayStart(now_ms, areaOf(area).time_zone) - BACKFILL_DAYS * 86_400_000;
  const { at_ms, values } = await table.read(area, market, from_ms, marketDays(area, now_ms).after_ms + 86_400_000);
  for (let i = at_ms.length - 1; i >= 0; i--) if (!Number.isNaN(values[i])) return (at_ms[i] ?? 0) + SLOT_MS;
  return null;
}
