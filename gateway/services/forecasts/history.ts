/** What forecasts and models of a site learn from: slots of the last months, with the site's calendar. */
import type { PublicHolidays } from '../../../connectors/holidays/public.ts';
import { InvalidDataError } from '../../../engine/errors.ts';
import type { History, KnownWeather, SeriesKind } from '../../../engine/forecast/box/model-port.ts';
import { Quality } from '../../../engine/model/quality.ts';
import { HOUR_MS, localDate, SLOT_MS, slotStart } from '../../../engine/model/time.ts';
import type { Columns } from '../../../engine/ports.ts';
import type {
  DataService,
  PriceService,
  Services,
  SiteService,
  TariffService,
  WeatherService,
} from '../../services.ts';

export type HistoryDeps = Pick<Services, 'clock'> & {
  site: Pick<SiteService, 'get' | 'tenants'>;
  balance: DataService['balance'];
  market: PriceService['market'];
  tariffs: Pick<TariffService, 'area'>;
  holidays?: PublicHolidays;
  /** Weather as it had been forecast; without, no model sees any. */
  weather?: Pick<WeatherService, 'known'>;
};

export type SiteHistory = {
  columns: Columns;
  unit: string;
  from_ms: number;
  time_zone: string;
  known_ms: number;
  /** Tells this history from one with other values. */
  known: string;
  /** Local day numbers. */
  holidays: number[];
  weather: readonly KnownWeather[];
};

/** What models are given of it. */
export const historyFrom = (
  kind: SeriesKind,
  { columns, from_ms, time_zone, holidays, weather }: SiteHistory,
): History => ({ kind, columns, from_ms, time_zone, holidays, weather });

const DAY_MS = 24 * HOUR_MS;
const HISTORY_MS = 400 * DAY_MS;
const AHEAD_DAYS = 40;

/** @throws InvalidDataError with the reason where there is nothing to learn from. */
export async function gatherHistory(deps: HistoryDeps, tenant: string, series: SeriesKind): Promise<SiteHistory> {
  const site = deps.site.get(tenant);
  if (!site) throw new InvalidDataError('There is no site yet.', 'Set the site up first.');
  const { time_zone } = site;
  const now_ms = slotStart(deps.clock.now());
  const holidays = holidaysOf(deps, tenant, now_ms);
  if (series === 'price') return priceHistory(deps, tenant, now_ms, time_zone, holidays);
  const all = await deps.balance(tenant, series, now_ms - HISTORY_MS, now_ms);
  const columns = whole(all);
  const known_ms = newest(columns);
  if (known_ms === null)
    throw new InvalidDataError(
      series === 'load' ? 'No meter has measured the load yet.' : 'No meter measures generation.',
      'Add a meter with this role.',
    );
  const weather = (await deps.weather?.known(tenant)) ?? [];
  return { columns, unit: 'W', from_ms: now_ms, time_zone, known_ms, known: fingerprint(columns), holidays, weather };
}

/** Published prices reach into the future: the forecast begins after the last of them. */
async function priceHistory(
  deps: HistoryDeps,
  tenant: string,
  now_ms: number,
  time_zone: string,
  holidays: number[],
): Promise<SiteHistory> {
  const area = deps.tariffs.area(tenant);
  if (area === null)
    throw new InvalidDataError('The site has a fixed energy price: there is nothing to forecast.', 'None is needed.');
  const prices = await deps.market(area, 'day-ahead', now_ms - HISTORY_MS, now_ms + 3 * DAY_MS);
  const columns = { at_ms: prices.at_ms, values: prices.values, quality: new Int32Array(prices.at_ms.length) };
  const known_ms = newest(columns);
  if (known_ms === null)
    throw new InvalidDataError(`No prices of ${area} are stored yet.`, 'Check the price sources, or load a CSV.');
  const from_ms = Math.max(now_ms, known_ms + SLOT_MS);
  const unit = `${prices.currency}/MWh`;
  return { columns, unit, from_ms, time_zone, known_ms, known: fingerprint(columns), holidays, weather: [] };
}

/** Slots of which only a part was measured would look like a low: they count as not known. */
export function whole({ at_ms, values, quality }: Columns): Columns {
  return { at_ms, values: values.map((value, i) => (quality[i]! & Quality.PARTIAL ? NaN : value)), quality };
}

function newest({ at_ms, values }: Columns): number | null {
  const last = values.findLastIndex((value) => !Number.isNaN(value));
  return last < 0 ? null : at_ms[last]!;
}

export function countOf({ values }: Columns): number {
  return values.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0);
}

/** Count and sums of the known values: changes with every import, repair or new reading that matters. */
function fingerprint({ at_ms, values }: Columns): string {
  let [count, sum, moment] = [0, 0, 0];
  for (const [i, value] of values.entries()) {
    if (Number.isNaN(value)) continue;
    count++;
    sum += value;
    moment += value * (at_ms[i]! / SLOT_MS);
  }
  return `${count} ${sum} ${moment}`;
}

/** Those of the site's country, over the history and what is forecast. */
function holidaysOf({ site, holidays }: HistoryDeps, tenant: string, now_ms: number): number[] {
  const { country, time_zone } = site.get(tenant)!;
  if (!holidays?.region(country)) return [];
  const found: number[] = [];
  for (let at_ms = now_ms - HISTORY_MS; at_ms < now_ms + AHEAD_DAYS * DAY_MS; at_ms += DAY_MS) {
    const date = localDate(at_ms, time_zone);
    const day = Date.parse(`${date}T00:00Z`) / DAY_MS;
    if (holidays.isHoliday(country, date) && found.at(-1) !== day) found.push(day);
  }
  return found;
}
