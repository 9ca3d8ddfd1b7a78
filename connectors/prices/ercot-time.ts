/** ERCOT's clock: hours counted by their end in Central Prevailing Time, the doubled hour told by a flag. */
import { InvalidDataError } from '../../engine/errors.ts';
import { HOUR_MS, instantOf, localTime } from '../../engine/model/time.ts';

export const ERCOT_ZONE = 'America/Chicago';

/**
 * The start of the hour that ends at `hour_ending` (1–24) of `date` (YYYY-MM-DD). `repeated` (DSTFlag) tells the
 * second pass of the hour that the end of daylight saving doubles.
 * @returns null for the hour that the start of daylight saving skips.
 */
export function hourStart(date: string, hour_ending: number, repeated: boolean): number | null {
  const [year, month, day] = date.slice(0, 10).split('-').map(Number);
  if (!year || !month || !day || !Number.isInteger(hour_ending) || hour_ending < 1 || hour_ending > 24)
    throw new InvalidDataError(`ercot names an hour that does not exist: ${date} hour ending ${hour_ending}.`);
  const first_ms = instantOf(ERCOT_ZONE, year, month, day, hour_ending - 1);
  if (localTime(first_ms, ERCOT_ZONE).hour !== hour_ending - 1) return null;
  const second_ms = first_ms + HOUR_MS;
  return repeated && localTime(second_ms, ERCOT_ZONE).hour === hour_ending - 1 ? second_ms : first_ms;
}
