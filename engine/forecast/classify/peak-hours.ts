/** Which hours of the day to come are among its dearest: a logistic regression on features of the hour. */
import { createHourRows, type HourRows } from '../../features/hour-rows.ts';
import { DAY_HOURS, type Panel } from '../../features/panel.ts';
import { fitLogistic, type LogisticFit, logisticProbability } from './logistic.ts';

/** How many hours of a day are its peak. */
export const PEAK_HOURS = 3;
const PENALTY = 10;

export type PeakModel = {
  /** Chance of each hour of `day` to be one of its dearest, from what is known at its origin; NaN where too little is. */
  chances(panel: Panel, day: number): Float64Array;
  serialise(): LogisticFit;
};

/** 1 for the dearest hours of a day; null where an hour of it is missing. Of equal ones the earlier. */
export function peaksOf(hours: Float64Array, most = PEAK_HOURS): Uint8Array | null {
  if (hours.some(Number.isNaN)) return null;
  const dearest = Array.from(hours, (_, hour) => hour).sort((a, b) => hours[b]! - hours[a]! || a - b);
  const made = new Uint8Array(hours.length);
  for (const hour of dearest.slice(0, most)) made[hour] = 1;
  return made;
}

/** Learns from the `window_days` before `day`. @throws InvalidDataError where no whole day is known. */
export function trainPeakModel(panel: Panel, day: number, window_days = 728): PeakModel {
  const rows = createHourRows(panel);
  const view = panel.viewAt(panel.origin(day));
  const [inputs, answers]: [Float64Array[], Uint8Array[]] = [[], []];
  for (let past = Math.max(0, day - window_days); past < day; past++) {
    const x = inputsOf(rows, past);
    const peaks = peaksOf(Float64Array.from({ length: DAY_HOURS }, (_, hour) => view.value(0, past, hour)));
    if (!peaks || x.some(Number.isNaN)) continue;
    inputs.push(x);
    answers.push(peaks);
  }
  const width = widthOf(rows);
  const x = new Float64Array(inputs.length * DAY_HOURS * width);
  for (const [k, one] of inputs.entries()) x.set(one, k * DAY_HOURS * width);
  const y = new Uint8Array(answers.length * DAY_HOURS);
  for (const [k, one] of answers.entries()) y.set(one, k * DAY_HOURS);
  return modelOf(fitLogistic(x, y, width, PENALTY), panel, rows);
}

export function revivePeakModel(fit: LogisticFit, panel: Panel): PeakModel {
  const weights = Float64Array.from(fit.weights);
  return modelOf({ offset: fit.offset, weights }, panel, createHourRows(panel));
}

function modelOf(fit: LogisticFit, own: Panel, ownRows: HourRows): PeakModel {
  return {
    chances(panel, day) {
      const rows = panel === own ? ownRows : createHourRows(panel);
      const x = inputsOf(rows, day);
      const width = widthOf(rows);
      return Float64Array.from({ length: DAY_HOURS }, (_, hour) => logisticProbability(fit, x, hour * width));
    },
    serialise: () => fit,
  };
}

/** The features of the hour, and which hour it is: a day's course is no straight line. */
const widthOf = ({ names }: HourRows): number => names.length + DAY_HOURS;

function inputsOf(rows: HourRows, day: number): Float64Array {
  const { x } = rows.day(day);
  const [own, width] = [rows.names.length, widthOf(rows)];
  const made = new Float64Array(DAY_HOURS * width);
  for (let hour = 0; hour < DAY_HOURS; hour++) {
    made.set(x.subarray(hour * own, (hour + 1) * own), hour * width);
    made[hour * width + own + hour] = 1;
  }
  return made;
}
