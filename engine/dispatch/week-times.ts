/** Times that return every week, as spans on the time axis. */
import { addDays, dayStart, instantOf, localTime } from '../model/time.ts';

export type WeeklySpan = { weekdays: readonly number[]; from: string; to: string };
export type Span<Rule> = { from_ms: number; to_ms: number; rule: Rule };

/**
 * Spans of weekly rules that touch [from_ms, to_ms), ascending; a span that ends at or before its begin's time of day
 * ends on the next day. Where rules overlap the later span begins when the earlier one ends.
 */
export function weeklySpans<Rule>(
  rules: readonly Rule[],
  spanOf: (rule: Rule) => WeeklySpan,
  from_ms: number,
  to_ms: number,
  time_zone: string,
): Span<Rule>[] {
  const found: Span<Rule>[] = [];
  for (let day = addDays(from_ms, -2, time_zone); day < to_ms; day = addDays(day, 1, time_zone))
    for (const rule of rules) {
      const { weekdays, from, to } = spanOf(rule);
      if (!weekdays.includes(weekdayOf(day, time_zone))) continue;
      const begin_ms = at(dayStart(day, time_zone), from, time_zone);
      const same_day_ms = at(dayStart(day, time_zone), to, time_zone);
      const end_ms = same_day_ms > begin_ms ? same_day_ms : at(addDays(day, 1, time_zone), to, time_zone);
      if (end_ms > from_ms && begin_ms < to_ms) found.push({ from_ms: begin_ms, to_ms: end_ms, rule });
    }
  found.sort((a, b) => a.from_ms - b.from_ms || a.to_ms - b.to_ms);
  const apart: Span<Rule>[] = [];
  for (const span of found) {
    const begin_ms = Math.max(span.from_ms, apart.at(-1)?.to_ms ?? Number.NEGATIVE_INFINITY);
    if (begin_ms < span.to_ms) apart.push({ ...span, from_ms: begin_ms });
  }
  return apart;
}

/** 1 is Monday. */
function weekdayOf(at_ms: number, time_zone: string): number {
  const { year, month, day } = localTime(at_ms, time_zone);
  return ((new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7) + 1;
}

function at(day_ms: number, clock: string, time_zone: string): number {
  if (clock === '24:00') return addDays(day_ms, 1, time_zone);
  const { year, month, day } = localTime(day_ms, time_zone);
  const [hour, minute] = clock.split(':').map(Number);
  return instantOf(time_zone, year, month, day, hour, minute);
}
