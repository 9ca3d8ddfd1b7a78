/** A model that forecasts slots from a history, behind the port of methods that forecast a local day's hours. */
import { InvalidDataError } from '../errors.ts';
import { DAY_HOURS, type Panel } from '../features/panel.ts';
import { HOUR_MS, SLOT_MS } from '../model/time.ts';
import type { ForecastInput, ForecastModel } from '../ports.ts';
import type { ForecastMethod, TrainedForecaster } from './port.ts';

const HOUR_SLOTS = 4;
const DAY_MS = DAY_HOURS * HOUR_MS;
/** Older days change little and cost time. */
const MOST_DAYS = 400;
/** A history that ends longer before the day than this is no ground for a forecast. */
const LATEST_HOURS = 3 * DAY_HOURS;

/**
 * The panel's local hours are given to the model as hours of UTC, four equal slots each, up to the last that was known
 * at the day's origin: no clock changes there, for local days have 24 hours in a panel.
 */
export function createModelMethod(model: ForecastModel, floor: number | null): ForecastMethod {
  const { name } = model;
  const trained = (trained_day: number): TrainedForecaster => ({
    method: name,
    trained_day,
    forecast(panel, day) {
      const points = model.forecast(inputOf(panel, day, floor)).slice(-DAY_HOURS * HOUR_SLOTS);
      return Float64Array.from({ length: DAY_HOURS }, (_, hour) => {
        const slots = points.slice(hour * HOUR_SLOTS, (hour + 1) * HOUR_SLOTS);
        return slots.reduce((sum, { mean }) => sum + mean, 0) / HOUR_SLOTS;
      });
    },
    explain(panel, day, hour) {
      const told = model.explain?.(inputOf(panel, day, floor), startOf(panel, day) + hour * HOUR_MS);
      if (!told) throw new InvalidDataError(`${name} does not tell what it was made of.`, 'Ask another model.');
      return told;
    },
    serialise: () => ({ method: name, trained_day, state: null }),
  });
  return {
    name,
    train: (_panel, day, previous) => (previous?.method === name ? previous : trained(day)),
    revive(state) {
      if (state.method !== name)
        throw new InvalidDataError(`This is a model of ${state.method}, not of ${name}.`, 'Train the model anew.');
      return trained(state.trained_day);
    },
  };
}

const startOf = (panel: Panel, day: number): number => (panel.first_day + day) * DAY_MS;

function inputOf(panel: Panel, day: number, floor: number | null): ForecastInput {
  const view = panel.viewAt(panel.origin(day));
  const at = (hour: number) => view.value(0, Math.floor(hour / DAY_HOURS), hour % DAY_HOURS);
  let end = day * DAY_HOURS;
  while (end > Math.max(0, day * DAY_HOURS - LATEST_HOURS) && Number.isNaN(at(end - 1))) end--;
  const first = Math.max(0, day - MOST_DAYS) * DAY_HOURS;
  const length = Math.max(0, end - first) * HOUR_SLOTS;
  const first_ms = startOf(panel, 0) + first * HOUR_MS;
  const at_ms = Float64Array.from({ length }, (_, i) => first_ms + i * SLOT_MS);
  const values = Float64Array.from({ length }, (_, i) => at(first + Math.floor(i / HOUR_SLOTS)));
  return {
    history: { at_ms, values, quality: new Int32Array(length) },
    from_ms: startOf(panel, 0) + end * HOUR_MS,
    slots: ((day + 1) * DAY_HOURS - end) * HOUR_SLOTS,
    ...{ time_zone: 'UTC', quantiles: [], floor },
  };
}
