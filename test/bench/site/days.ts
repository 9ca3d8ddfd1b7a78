/**
 * What could be advised at a site on each of its days, from its real load, generation and prices, by the assumptions of
 * the catalogue's rules: a named load is a known share of the whole, a battery loses 12 %, half of a raised base load is
 * found. Sites have what those who buy such a box have: loads that can move, often a battery, vehicles, a heat pump. Nothing here depends on what is advised.
 */
import { createRandom, type Random } from '../../../engine/random.ts';
import type { Kind, Opportunity, SiteDay } from './kinds.ts';
import { DAY_HOURS, type HourlySeries, type SiteData } from './series.ts';
import { DAYS, DAYS_BEFORE, type Site } from './sites.ts';

/** The hour of the morning at which advice is given. */
export const MORNING = 7;
const WINDOW = 2;
const HOURS_A_MONTH = 730;
/** Share of a day's cost at which a saving is half of its scale. */
const HALF_SAVING = 0.004;

export type Calendar = { days: SiteDay[] /** Money at which a saving counts half. */; half_saving: number };
type Hours = (day: number, hour: number) => number;
type World = {
  site: Site;
  load: Hours;
  price: Hours;
  sun: Hours;
  random: Random;
  half_saving: number;
  faulty: boolean;
  open: Lasting[];
};
/** Advice that stays possible for some days. */
type Begin = (kind: Kind, days: number, saving: number, urgency: number, name?: string) => void;
type Lasting = { until: number; opportunity: Opportunity };

export function makeCalendar(site: Site, data: SiteData): Calendar {
  const load = filled(site.load, site.load_day);
  const price = filled(site.market, site.market_day);
  const sun = site.plant ? scaled(filled(site.plant.series, dayIn(site, site.plant.series)), site.plant.kWp) : () => 0;
  const temperature = filled(data.temperature, dayIn(site, data.temperature));
  const month = Array.from({ length: 30 }, (_, d) => costOf(load, price, d - 30));
  const half_saving = Math.max(1e-3, (HALF_SAVING * month.reduce((a, b) => a + b, 0)) / 30);
  const world: World = {
    ...{ site, load, price, sun, half_saving, faulty: false, open: [] },
    random: createRandom(site.seed),
  };
  const days = Array.from({ length: DAYS }, (_, day) => {
    const ahead = Array.from({ length: DAY_HOURS }, (_h, h) => price(day, MORNING + h));
    const high = Math.max(...ahead);
    const low = Math.min(...ahead);
    const calendar_day = site.load.first_day + site.load_day + day;
    return {
      day,
      weekend: [2, 3].includes(((calendar_day % 7) + 7) % 7),
      spread: (high - low) / (Math.abs(high) + Math.abs(low) + 1e-9),
      price_level: Math.max(-1, Math.min(1, mean(ahead) / Math.max(1e-3, meanBefore(price, day, 30)) - 1)),
      temperature_C: temperature(day, MORNING),
      season: (calendar_day % 365.25) / 365.25,
      opportunities: [...daily(world, day, temperature(day, MORNING)), ...lasting(world, day)],
    };
  });
  return { days, half_saving };
}

/** What the coming 24 hours and the last night alone say. */
function daily(world: World, day: number, temperature_C: number): Opportunity[] {
  const { site, load, price, half_saving } = world;
  const found: Opportunity[] = [];
  const add = (kind: Kind, name: string, saving: number, certainty: number, urgency: number) => {
    if (saving > 0.1 * half_saving) found.push({ id: `${kind}:${day}:${name}`, kind, saving, certainty, urgency });
  };
  const cheap = windowIn(price, day, MORNING, MORNING + 24, -1);
  for (const [from, to] of [
    [8, 15],
    [15, 23],
  ] as const) {
    const dear = windowIn(price, day, from, to, 1);
    const energy = sumOf(load, day, dear.hour, WINDOW);
    const urgency = 1 / (1 + (dear.hour - MORNING) / 6);
    for (const [k, share] of site.flexible.entries())
      add('shift_load', `${from}:${k}`, share * energy * (dear.price - cheap.price), 0.3, urgency);
  }
  const evening = windowIn(price, day, 15, 23, 1);
  const before = windowIn(price, day, MORNING, evening.hour, -1);
  const noon = windowIn(price, day, 10, 16, -1);
  if (site.battery_kWh > 0) {
    add('run_battery', 'evening', site.battery_kWh * (evening.price - before.price / 0.88), 0.6, 0.5);
    const morning = windowIn(price, day, MORNING, 11, 1);
    add('run_battery', 'morning', 0.5 * site.battery_kWh * (morning.price - noon.price / 0.88), 0.6, 0.8);
  }
  const average = meanOfHours(price, day, MORNING, DAY_HOURS);
  if (site.vehicles > 0) {
    add('charge_vehicles', 'night', site.vehicles * 30 * (average - cheap.price), 0.35, 0.3);
    add('charge_vehicles', 'noon', site.vehicles * 15 * (average - noon.price), 0.35, 0.6);
  }
  if (site.heat_pump && (temperature_C < 8 || temperature_C > 17)) {
    for (const [k, share] of site.zones.entries())
      add(
        'precondition',
        String(k),
        share * sumOf(load, day, evening.hour, WINDOW) * (evening.price - average),
        0.4,
        0.5,
      );
  }
  if (site.demand_charge) {
    const today = peakOf(load, day);
    const month = Math.max(...Array.from({ length: 1 + (day % 30) }, (_, back) => peakOf(load, day - 1 - back)));
    if (today > 0.9 * month) add('lower_peak', '', 0.03 * today * 8, 0.3, 0.8);
  }
  const night = meanOfHours(load, day, 1, 3);
  const usual = median(Array.from({ length: 14 }, (_, back) => meanOfHours(load, day - 1 - back, 1, 3)));
  if (night > 1.05 * usual) add('check_base_load', '', 0.5 * (night - usual) * HOURS_A_MONTH * average, 0.25, 0.2);
  return found;
}

/** What begins by chance and stays possible until somebody does it or it passes. */
function lasting(world: World, day: number): Opportunity[] {
  const { site, random, load, price, half_saving, open } = world;
  const begin: Begin = (kind, days, saving, urgency, name = '') =>
    open.push({
      until: day + days,
      opportunity: { id: `${kind}:${day}:${name}`, kind, saving, certainty: 0.5, urgency },
    });
  for (let part = 0; part < site.parts; part++) {
    // Always the same number of draws a day, whatever is open.
    const [meter, regulation, repair] = [random(), random(), random()];
    if (meter < 0.1) begin('check_meter', 6, 0, 0.7, String(part));
    if (regulation < 0.08) begin('read_regulation', 7, 0, 0.1, String(part));
    if (repair < 0.15) begin('confirm_repair', 5, 0, 0.3, String(part));
  }
  const fault = random();
  const month = Array.from({ length: 30 }, (_, back) => costOf(load, price, day - 1 - back)).reduce((a, b) => a + b, 0);
  if (day % 30 === 5) {
    const flat = flatPrice(price, day);
    const use = Array.from({ length: 30 }, (_, back) => sumOf(load, day - 1 - back, 0, 24)).reduce((a, b) => a + b, 0);
    if (month - flat * use > half_saving) begin('change_tariff', 14, month - flat * use, 0.1);
  }
  if (day === 12 && (site.vehicles > 0 || site.heat_pump)) begin('set_14a_module', 20, 12, 0.1);
  dirtyPlant(world, day, fault, begin);
  world.open = open.filter(({ until }) => until > day);
  return world.open.map(({ opportunity }) => opportunity);
}

/** A fault of the plant, or a dull day that looks like one. */
function dirtyPlant({ site, sun, price, open }: World, day: number, fault: number, begin: Begin): void {
  if (!site.plant || open.some(({ opportunity }) => opportunity.kind === 'clean_generation')) return;
  const expected = median(Array.from({ length: 7 }, (_, back) => sumOf(sun, day - 2 - back, 0, 24)));
  const measured = sumOf(sun, day - 1, 0, 24) * (fault < 0.015 ? 0.4 : 1);
  if (measured < 0.6 * expected && expected > site.plant.kWp)
    begin('clean_generation', 4, 0.4 * (expected - measured) * meanOfHours(price, day, 0, 24) * 3, 0.3);
}

/** The series from a day on; what is missing is taken from a week before. */
function filled(series: HourlySeries, first: number): Hours {
  return (day, hour) => {
    for (let at = (first + day) * DAY_HOURS + hour; at >= 0; at -= 7 * DAY_HOURS) {
      const value = series.values[at];
      if (value !== undefined && !Number.isNaN(value)) return value;
    }
    return 0;
  };
}

const scaled =
  (hours: Hours, factor: number): Hours =>
  (day, hour) =>
    factor * hours(day, hour);

/** The site's first day in another series, whole years away where that has other years. */
function dayIn({ load, load_day }: Site, { first_day, values }: HourlySeries): number {
  const days = values.length / DAY_HOURS;
  let day = load.first_day + load_day - first_day;
  while (day < DAYS_BEFORE) day += 364;
  while (day > days - DAYS - 2 && day - 364 >= DAYS_BEFORE) day -= 364;
  return day;
}

/** The dearest (sign 1) or cheapest (−1) window of the hours from … to of a day. */
function windowIn(price: Hours, day: number, from: number, to: number, sign: number): { hour: number; price: number } {
  let best = { hour: from, price: meanOfHours(price, day, from, WINDOW) };
  for (let hour = from + 1; hour + WINDOW <= to; hour++) {
    const found = meanOfHours(price, day, hour, WINDOW);
    if (sign * found > sign * best.price) best = { hour, price: found };
  }
  return best;
}

/** What the last 30 days would have cost a kWh with everybody's average use: a fixed tariff's offer, 4 % dearer. */
function flatPrice(price: Hours, day: number): number {
  return 1.04 * meanBefore(price, day, 30);
}

const meanBefore = (price: Hours, day: number, days: number): number => meanOfHours(price, day - days, 0, days * 24);
const costOf = (load: Hours, price: Hours, day: number): number => {
  let sum = 0;
  for (let hour = 0; hour < DAY_HOURS; hour++) sum += load(day, hour) * price(day, hour);
  return sum;
};
const peakOf = (load: Hours, day: number): number =>
  Math.max(...Array.from({ length: DAY_HOURS }, (_, hour) => load(day, hour)));

function sumOf(hours: Hours, day: number, from: number, count: number): number {
  let sum = 0;
  for (let hour = from; hour < from + count; hour++) sum += hours(day, hour);
  return sum;
}

const meanOfHours = (hours: Hours, day: number, from: number, count: number): number =>
  sumOf(hours, day, from, count) / count;
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
