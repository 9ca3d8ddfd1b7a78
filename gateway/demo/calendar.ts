/** Working days of Baden-Württemberg, where the demo site stands. */

/** @returns whether people work there on that date: no weekend, no public holiday. */
export function isWorkday(year: number, month: number, day: number): boolean {
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
  return weekday !== 0 && weekday !== 6 && !isHoliday(year, month, day);
}

const FIXED = new Set(['1-1', '1-6', '5-1', '10-3', '11-1', '12-25', '12-26']);
/** Days after Easter Sunday: Good Friday, Easter Monday, Ascension, Whit Monday, Corpus Christi. */
const MOVING = new Set([-2, 1, 39, 50, 60]);

export function isHoliday(year: number, month: number, day: number): boolean {
  if (FIXED.has(`${month}-${day}`)) return true;
  // works holidays between Christmas and New Year
  if (month === 12 && day > 23) return true;
  const days = (Date.UTC(year, month - 1, day) - easter(year)) / 86_400_000;
  return MOVING.has(days);
}

/** Easter Sunday, by the anonymous Gregorian algorithm (Meeus, Astronomical Algorithms, ch. 8). */
function easter(year: number): number {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const h = (19 * a + b - Math.floor(b / 4) - Math.floor((b - Math.floor((b + 8) / 25) + 1) / 3) + 15) % 30;
  const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const n = h + l - 7 * m + 114;
  return Date.UTC(year, Math.floor(n / 31) - 1, (n % 31) + 1);
}
