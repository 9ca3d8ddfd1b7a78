/** When to ask for prices again: at publication time with jitter, with growing pauses while they are late. Pure. */
import { type PriceArea, priceArea } from '../../../connectors/prices/areas.ts';
import type { PriceMarket } from '../../../engine/model/price.ts';
import { addDays, dayStart, HOUR_MS, instantOf, localTime } from '../../../engine/model/time.ts';

const MINUTE_MS = 60_000;
/** After this long without tomorrow's prices the market is late and what is known counts as stale. */
const OVERDUE_MS = 5 * HOUR_MS;
/** A real-time price older than this is stale. */
const REAL_TIME_STALE_MS = 45 * MINUTE_MS;
/** So long after publication a source that stays empty is no longer waited for. */
export const PATIENCE_MS = 30 * MINUTE_MS;

export type Knowledge = {
  area: string;
  market: PriceMarket;
  /** End of the last slot with a price; null when there is none. */
  known_until_ms: number | null;
};

/** An area that the box has no facts about is treated like a European one. */
export function areaOf(area: string): PriceArea {
  return priceArea(area) ?? { area, name: area, time_zone: 'Europe/Berlin', currency: 'EUR', published: [12, 45] };
}

/** Today's publication time of tomorrow's day-ahead prices. */
export function publicationTime(area: string, now_ms: number): number {
  const { time_zone, published } = areaOf(area);
  const { year, month, day } = localTime(now_ms, time_zone);
  return instantOf(time_zone, year, month, day, published[0], published[1]);
}

/** Start of the local day now, and of the two after it. */
export function marketDays(area: string, now_ms: number): { today_ms: number; tomorrow_ms: number; after_ms: number } {
  const { time_zone } = areaOf(area);
  const today_ms = dayStart(now_ms, time_zone);
  return { today_ms, tomorrow_ms: addDays(today_ms, 1, time_zone), after_ms: addDays(today_ms, 2, time_zone) };
}

/**
 * The next time to ask.
 * @param tries runs in a row that did not bring what was due
 * @param random in [0, 1): spreads boxes over time, so that they do not all ask in the same second
 */
export function nextPoll(known: Knowledge, now_ms: number, tries: number, random: number): number {
  if (known.market === 'real-time') return now_ms + (5 + 5 * random + Math.min(tries, 5)) * MINUTE_MS;
  const { tomorrow_ms, after_ms } = marketDays(known.area, now_ms);
  const published_ms = publicationTime(known.area, now_ms);
  const until_ms = known.known_until_ms ?? 0;
  const jitter_ms = 4 * MINUTE_MS * random;
  if (until_ms >= after_ms) return publicationTime(known.area, tomorrow_ms + 12 * HOUR_MS) + jitter_ms;
  if (until_ms >= tomorrow_ms && now_ms < published_ms) return published_ms + jitter_ms;
  if (/^(HB|LZ|DC)_/.test(known.area)) return (Math.floor(now_ms / HOUR_MS) + 1) * HOUR_MS + jitter_ms;
  const pause_ms = Math.min(3 * MINUTE_MS * 1.4 ** tries, 20 * MINUTE_MS);
  return now_ms + pause_ms * (0.75 + 0.5 * random);
}

/**
 * Since when the stored prices are stale, or null. Day-ahead: since the last one ended, or since tomorrow's were due;
 * real-time: since the last one ended.
 */
export function staleSince(known: Knowledge, now_ms: number): number | null {
  const until_ms = known.known_until_ms;
  if (until_ms === null) return null;
  if (known.market === 'real-time') return now_ms - until_ms > REAL_TIME_STALE_MS ? until_ms : null;
  if (until_ms <= now_ms) return until_ms;
  const { after_ms } = marketDays(known.area, now_ms);
  const published_ms = publicationTime(known.area, now_ms);
  return until_ms < after_ms && now_ms > published_ms + OVERDUE_MS ? published_ms : null;
}
