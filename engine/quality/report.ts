/** The `data_quality` report of a meter point and local day: five checks per quantity, each with a count and a sentence. */
import { Quality } from '../model/quality.ts';
import { quantityInfo } from '../model/quantity.ts';
import { HOUR_MS, localTime, SLOT_MS } from '../model/time.ts';
import type { SlotColumns, Span } from '../ports.ts';
import type { QualityEvent } from './accumulator.ts';
import type { Disagreement } from './agreement.ts';
import { type Sentence, sentences } from './report-text.ts';

export type QualityState = 'ok' | 'warning' | 'fault';
export type QualityCheck = {
  name: 'schema' | 'nulls' | 'ranges' | 'gaps' | 'outliers' | 'agreement';
  quantity: string;
  passed: boolean;
  count: number;
  /** One sentence with local times, in English and German. */
  text: string;
  text_de: string;
};
export type DayReport = { meter: string; day: string; state: QualityState; checks: QualityCheck[] };

export type DayInput = {
  meter: string;
  /** `YYYY-MM-DD` of the local day, its bounds, and up to when it can be judged (`to_ms`, or earlier while it runs). */
  day: string;
  from_ms: number;
  to_ms: number;
  until_ms: number;
  time_zone: string;
  series: readonly SeriesOfDay[];
  /** Where the day's registers and power tell of different energy. */
  disagreement?: Disagreement | null;
};
export type SeriesOfDay = {
  quantity: string;
  /** Where the quantity was never read before the day: its first reading. */
  since_ms?: number;
  /** All readings of the day, those that never enter a sum too, ascending. */
  at_ms: Float64Array;
  quality: Int32Array;
  slots: SlotColumns;
  spans: readonly Span[];
  events: readonly QualityEvent[];
};

/** A meter is silent for longer than this, or than this many times its usual interval. */
export const SILENT_MS = 15 * 60_000;
export const SILENT_INTERVALS = 5;
/** Shares of the day's slots or readings beyond which the day is at fault. */
const FAULT_NULLS = 0.5;
const FAULT_RANGES = 0.1;

/** @returns the report; `ok` when all checks of all quantities passed. */
export function reportQuality(input: DayInput): DayReport {
  const checks: QualityCheck[] = [];
  let fault = false;
  for (const series of input.series) {
    // A quantity that is new today is not missing before its first reading.
    const from_ms = Math.max(input.from_ms, Math.ceil((series.since_ms ?? input.from_ms) / SLOT_MS) * SLOT_MS);
    const expected = Math.max(0, Math.floor((input.until_ms - from_ms) / SLOT_MS));
    const nulls = missingSlots(series, from_ms, expected);
    const gaps = gapsOf(series, from_ms, input.until_ms);
    const clock = marked(series, Quality.CLOCK);
    const malformed = eventsOf(series, ['malformed', 'overlap']);
    const ranges = marked(series, Quality.OUT_OF_RANGE);
    const outliers = eventsOf(series, ['spike', 'dip', 'reset', 'jump', 'unit', 'mixed', 'stuck']);
    const say = (at_ms: readonly number[]) => at_ms.map((at) => clockText(at, input.time_zone));
    const add = (name: QualityCheck['name'], count: number, { en, de }: Sentence) =>
      checks.push({ name, quantity: series.quantity, passed: count === 0, count, text: en, text_de: de });
    const schema = [...clock, ...malformed.map((event) => event.at_ms)].sort((a, b) => a - b);
    add('schema', schema.length, sentences.schema(say(schema)));
    add('nulls', nulls.length, sentences.nulls(nulls.length, expected, say(runStarts(nulls))));
    add('ranges', ranges.length, sentences.ranges(say(ranges)));
    const longest = gaps.reduce((most, gap) => Math.max(most, gap.to_ms - gap.from_ms), 0);
    add(
      'gaps',
      gaps.length,
      sentences.gaps(say(gaps.map((gap) => gap.from_ms)), longest / 60_000, series.spans.length > 0),
    );
    const kinds = [...new Set(outliers.map((event) => event.kind))];
    add('outliers', outliers.length, sentences.outliers(kinds, say(outliers.map((event) => event.at_ms))));
    fault ||= expected > 0 && nulls.length > FAULT_NULLS * expected;
    fault ||= ranges.length > FAULT_RANGES * Math.max(1, series.at_ms.length);
    fault ||= outliers.some(({ kind }) => kind === 'jump' || kind === 'unit' || kind === 'mixed');
  }
  if (input.disagreement) {
    const { en, de } = sentences.agreement(input.disagreement);
    fault ||= input.disagreement.kind === 'swapped';
    checks.push({ name: 'agreement', quantity: 'power_W', passed: false, count: 1, text: en, text_de: de });
  }
  const state = fault ? 'fault' : checks.every((check) => check.passed) ? 'ok' : 'warning';
  return { meter: input.meter, day: input.day, state, checks };
}

/** Median spacing of readings in ms, or null with fewer than three. */
export function usualInterval(at_ms: ArrayLike<number>): number | null {
  if (at_ms.length < 3) return null;
  const spacings = Array.from({ length: at_ms.length - 1 }, (_, i) => at_ms[i + 1]! - at_ms[i]!).sort((a, b) => a - b);
  return spacings[Math.floor(spacings.length / 2)]!;
}

/** @returns how long a meter with this usual interval (null: not known) may say nothing. */
export function silenceLimit(usual_ms: number | null): number {
  return Math.max(SILENT_MS, SILENT_INTERVALS * (usual_ms ?? 0));
}

/** Starts of slots without a value, those known as part of a span aside. */
function missingSlots({ slots, spans }: SeriesOfDay, from_ms: number, expected: number): number[] {
  const known = new Set<number>();
  for (const [i, value] of slots.values.entries()) if (!Number.isNaN(value)) known.add(slots.at_ms[i]!);
  return Array.from({ length: expected }, (_, k) => from_ms + k * SLOT_MS).filter(
    (at) => !known.has(at) && !spans.some((span) => span.from_ms < at + SLOT_MS && span.to_ms > at),
  );
}

function gapsOf({ quantity, at_ms }: SeriesOfDay, from_ms: number, until_ms: number) {
  if (quantityInfo(quantity)?.kind === 'interval') return [];
  const limit_ms = silenceLimit(usualInterval(at_ms));
  const edges = [from_ms, ...at_ms.filter((at) => at > from_ms), until_ms].filter((at) => at <= until_ms);
  const gaps: { from_ms: number; to_ms: number }[] = [];
  for (let i = 1; i < edges.length; i++)
    if (edges[i]! - edges[i - 1]! > limit_ms) gaps.push({ from_ms: edges[i - 1]!, to_ms: edges[i]! });
  return gaps;
}

const marked = ({ at_ms, quality }: SeriesOfDay, bit: number): number[] =>
  Array.from(at_ms).filter((_, i) => quality[i]! & bit);

const eventsOf = ({ events }: SeriesOfDay, kinds: readonly QualityEvent['kind'][]): QualityEvent[] =>
  events.filter((event) => kinds.includes(event.kind));

/** First slot of each run of adjoining slots. */
const runStarts = (slots: readonly number[]): number[] =>
  slots.filter((at, i) => i === 0 || at - slots[i - 1]! !== SLOT_MS);

function clockText(at_ms: number, time_zone: string): string {
  const { hour, minute } = localTime(at_ms, time_zone);
  return `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
}

/** Slots of a local day: 92, 96 or 100 in most zones. */
export const daySlots = (from_ms: number, to_ms: number): number => Math.round(((to_ms - from_ms) / HOUR_MS) * 4);
