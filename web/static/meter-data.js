// @ts-check
/** What meter-chart.js does with numbers: which resolution fits, where gaps are, how values are written. Pure. */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Single readings below 6 hours, quarter-hours below 14 days, hours below 120 days, else days. @param {number} length_ms */
export function resolutionOf(length_ms) {
  if (length_ms < 6 * HOUR) return 'raw';
  if (length_ms < 14 * DAY) return 'slot';
  return length_ms < 120 * DAY ? 'hour' : 'day';
}

/** Marks whose values are kept but never summed. */
const LEFT_OUT = ['spike', 'out_of_range', 'clock', 'dip'];

/** @typedef {{ names: string[], leftOut: boolean } | null} Mark */
/** `at` in seconds, as uPlot counts. @typedef {{ at: number[], values: (number | null)[], marks: Mark[] }} Series */

/**
 * Points of the API as columns. Between single readings that are further apart than usual a null is put, so that the
 * silence shows as a gap.
 * @param {{ at: string, value: number | null, quality: string }[]} points
 * @param {string} resolution
 * @returns {Series}
 */
export function withGaps(points, resolution) {
  /** @type {Series} */
  const series = { at: [], values: [], marks: [] };
  const times = points.map((point) => Date.parse(point.at) / 1000);
  const gap = resolution === 'raw' ? Math.max(60, 5 * medianStep(times)) : Number.POSITIVE_INFINITY;
  points.forEach((point, i) => {
    if (i > 0 && times[i] - times[i - 1] > gap) push(series, (times[i] + times[i - 1]) / 2, null, null);
    push(series, times[i], point.value, markOf(point.quality));
  });
  return series;
}

/** @param {Series} series @param {number} at @param {number | null} value @param {Mark} mark */
function push(series, at, value, mark) {
  series.at.push(at);
  series.values.push(value);
  series.marks.push(mark);
}

/** @param {string} quality @returns {Mark} */
function markOf(quality) {
  if (!quality || quality === 'ok') return null;
  const names = quality.split('+');
  return { names, leftOut: names.some((name) => LEFT_OUT.includes(name)) };
}

/** @param {number[]} times */
function medianStep(times) {
  const steps = times
    .slice(1)
    .map((time, i) => time - times[i])
    .sort((a, b) => a - b);
  return steps[Math.floor(steps.length / 2)] ?? 0;
}

/**
 * How values of a unit are written so that all of them read well: W, kW or MW; kWh or MWh; others as they are.
 * @param {string} locale @param {string} unit @param {(number | null)[]} values @param {number} digits
 */
export function formatOf(locale, unit, values, digits) {
  let top = 0;
  for (const value of values) if (value !== null && Math.abs(value) > top) top = Math.abs(value);
  const scale = scaleOf(unit, top, digits);
  const number = (/** @type {number} */ value, /** @type {number} */ places) =>
    new Intl.NumberFormat(locale, { minimumFractionDigits: places, maximumFractionDigits: places })
      .format(value * scale.factor)
      .replace('-', '\u2212');
  return {
    text: (/** @type {number} */ value) => `${number(value, scale.digits)}\u00a0${scale.unit}`,
    /** Axis labels with as many digits as their step needs; the unit stands at the top one. @param {number[]} ticks */
    ticks: (ticks) => {
      const step = ticks.length > 1 ? Math.abs(ticks[1] - ticks[0]) * scale.factor : 1;
      const places = [0, 1, 2, 3].find((n) => Math.abs(step - Number(step.toFixed(n))) < step * 1e-6) ?? 4;
      const last = ticks.length - 1;
      return ticks.map((tick, i) => (i === last ? `${number(tick, places)}\u00a0${scale.unit}` : number(tick, places)));
    },
  };
}

/** @param {string} unit @param {number} top @param {number} digits */
function scaleOf(unit, top, digits) {
  if (unit === 'W' && top >= 999_500) return { unit: 'MW', factor: 1e-6, digits: 2 };
  if (unit === 'W' && top >= 1000) return { unit: 'kW', factor: 1e-3, digits: top < 99_500 ? 1 : 0 };
  if (unit === 'W') return { unit, factor: 1, digits: 0 };
  if (unit === 'kWh' && top >= 99_999) return { unit: 'MWh', factor: 1e-3, digits: 1 };
  if (unit === 'kWh') return { unit, factor: 1, digits: top < 10 ? 2 : top < 1000 ? 1 : 0 };
  return { unit, factor: 1, digits };
}
