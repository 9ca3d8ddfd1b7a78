/** A site's slots as hourly series on local days, and hours back as slots. */
import { createPanel, type HourlySeries, type Panel } from '../../features/panel.ts';
import { HOUR_MS, instantOf, SLOT_MS, zoneOffset } from '../../model/time.ts';
import type { ForecastPoint } from '../../ports.ts';
import { createLocalGrid, DAY_HOURS, hourShape, type LocalGrid, weekday } from '../local-grid.ts';
import { BAND_LEVELS, type History, type Horizon, type HourForecast } from './model-port.ts';

/** Local hours: prices of tomorrow are published at 13:00, bids must be in at 12:00, loads are announced at 11:00. */
const PUBLISHED_HOUR = 13;
const GATE_HOUR = { load: 11, generation: 11, price: 12 } as const;

/** `at` of a local day number and hour; hours from 24 on are of the next day. */
export function localInstant(time_zone: string, day: number, hour: number): number {
  const date = new Date((day + Math.floor(hour / DAY_HOURS)) * DAY_HOURS * HOUR_MS);
  const within = hour - Math.floor(hour / DAY_HOURS) * DAY_HOURS;
  return instantOf(time_zone, date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), within);
}

/** When the forecast of a local day is made. */
export function originOf(history: Pick<History, 'kind' | 'time_zone'>, horizon: Horizon, day: number): number {
  if (horizon === 'gate-closure') return localInstant(history.time_zone, day - 1, GATE_HOUR[history.kind]);
  if (horizon === 'planning') return localInstant(history.time_zone, day - 7, 0);
  return localInstant(history.time_zone, day, 0);
}

export function gridOf({ columns, from_ms, time_zone }: History): LocalGrid {
  return createLocalGrid({ history: columns, from_ms, time_zone, slots: 0, quantiles: [], floor: null });
}

export type PanelChoice = {
  /** Its first day; that of the grid where left out. An artefact finds its days again after the history has moved on. */
  first_day?: number;
  /** Whether the weather is among its series. */
  weather?: boolean;
};

/** The panel of a daily horizon: a measured hour is known when it is over, a price when it is published. */
export function panelOf(
  history: History,
  horizon: Horizon,
  grid: LocalGrid,
  { first_day = grid.first_day, weather = false }: PanelChoice = {},
): Panel {
  const { kind, time_zone } = history;
  // Tomorrow's weather is known today.
  const end_day = grid.first_day + grid.days + (weather ? 1 : 0);
  const values = new Float64Array(Math.max(0, end_day - first_day) * DAY_HOURS).fill(NaN);
  const known_ms = new Float64Array(values.length);
  for (let k = 0; k < values.length; k++) {
    const [day, hour] = [first_day + Math.floor(k / DAY_HOURS), k % DAY_HOURS];
    const from = day - grid.first_day;
    if (from >= 0) values[k] = grid.hours[from * DAY_HOURS + hour] ?? NaN;
    known_ms[k] =
      kind === 'price' ? localInstant(time_zone, day - 1, PUBLISHED_HOUR) : localInstant(time_zone, day, hour + 1);
  }
  // The hour under way is known in part only.
  if (kind !== 'price') for (let k = 0; k < values.length; k++) if (known_ms[k]! > history.from_ms) values[k] = NaN;
  const unit = kind === 'price' ? 'EUR/MWh' : 'W';
  const origin = (day: number) => originOf(history, horizon, first_day + day);
  const target = { name: kind, unit, values, known_ms };
  const others = weather ? weatherSeries(history, horizon, first_day, values.length) : [];
  return createPanel({ first_day, series: [target, ...others], origin });
}

/** So long before an hour its weather must have been forecast, that all of a day's was known at the day's origin. */
export const WEATHER_LEAD_MS: Partial<Record<Horizon, number>> = {
  'day-ahead': 25 * HOUR_MS,
  'gate-closure': 38 * HOUR_MS,
};

function weatherSeries(history: History, horizon: Horizon, first_day: number, length: number): HourlySeries[] {
  const dayOf = (at_ms: number) => at_ms + zoneOffset(at_ms, history.time_zone);
  return (history.weather ?? [])
    .filter(({ lead_ms }) => lead_ms === WEATHER_LEAD_MS[horizon])
    .map(({ name, unit, lead_ms, at_ms, values }) => {
      const series = { name, unit, values: new Float64Array(length).fill(NaN), known_ms: new Float64Array(length) };
      for (const [k, at] of at_ms.entries()) {
        const place = Math.floor(dayOf(at) / HOUR_MS) - first_day * DAY_HOURS;
        if (place < 0 || place >= length || !(at - lead_ms <= history.from_ms)) continue;
        series.values[place] = values[k]!;
        series.known_ms[place] = at - lead_ms;
      }
      return series;
    });
}

export type SlotOptions = { slots: number; floor: number | null };

/** Hours as 15-minute slots from `from_ms` on, with the shape that the hours of such days have. */
export function slotsOfHours(
  history: History,
  grid: LocalGrid,
  hours: readonly HourForecast[],
  { slots, floor }: SlotOptions,
): ForecastPoint[] {
  const shape = hourShape(grid);
  const byHour = new Map(hours.map((one) => [one.day * DAY_HOURS + one.hour, one]));
  const points: ForecastPoint[] = [];
  for (let i = 0; i < slots; i++) {
    const at_ms = history.from_ms + i * SLOT_MS;
    const { day, slot } = grid.placeOf(at_ms);
    const found = byHour.get((grid.first_day + day) * DAY_HOURS + Math.floor(slot / 4));
    if (found) points.push(pointOf(at_ms, found, shape(weekday(grid, day), slot), floor));
  }
  return points;
}

export function pointOf(at_ms: number, hour: HourForecast, more: number, floor: number | null): ForecastPoint {
  const least = floor ?? -Infinity;
  const quantiles: Record<string, number> = {};
  let last = least;
  for (const [k, level] of BAND_LEVELS.entries()) {
    const value = hour.quantiles[k] ?? NaN;
    last = Math.max(last, (Number.isNaN(value) ? hour.mean : value) + more);
    quantiles[String(level)] = last;
  }
  return { at_ms, mean: Math.max(least, hour.mean + more), quantiles };
}
