/** A year of one home with a battery, day-ahead prices and Norwegian power steps, decided hour by hour. */
import {
  createArbitrage,
  createNoStorage,
  createPeakShaving,
  createPrescient,
  createSelfConsumption,
} from '../../engine/dispatch/policies.ts';
import { type History, type Policy, simulate, type View } from '../../engine/dispatch/simulate.ts';
import { decideStepped, type MonthSpan } from '../../engine/dispatch/stepped-peak.ts';
import { createCourses, type Home, loadHome } from './dispatch/home-data.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'the Trondheim home: bill of a year under each policy: --year 2022 --hours 8760 --horizon 720 --courses 4';

const STORE = {
  capacity_kWh: 40,
  charge_kWh: 20,
  discharge_kWh: 20,
  charge_efficiency: 0.95,
  discharge_efficiency: 0.95,
  keep: 0.99998,
  initial_kWh: 20,
};
const PEAKS = {
  count: 3,
  steps: [
    { up_to_kW: 2, amount: 83 },
    { up_to_kW: 5, amount: 147 },
    { up_to_kW: 10, amount: 252 },
    { up_to_kW: 15, amount: 371 },
    { up_to_kW: 20, amount: 490 },
  ],
};
/** Targets of the published rules by month: winter 10 kW, between 5, summer 2. */
const TARGETS = [10, 10, 5, 5, 2, 2, 2, 2, 2, 5, 5, 10];
const END_kWh = 20;
const MONTH_HOURS = 720;
/** What an hour's load may be of what a course says; chosen on 2021 from three such tables. */
const SPREAD = [
  { factor: 0.75, weight: 0.3 },
  { factor: 1, weight: 0.4 },
  { factor: 1.2, weight: 0.25 },
  { factor: 1.6, weight: 0.05 },
];
/** Further ahead the courses speak for what may come. */
const SPREAD_HOURS = 60;
const CERTAIN = [{ factor: 1, weight: 1 }];

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const home = loadHome();
  const first = home.yearStart(Number(options.year ?? 2022));
  const hours = Math.min(Number(options.hours ?? 8760), 8760);
  const history = historyOf(home, first, hours);
  const bills: Record<string, number> = {};
  const note = (policy: Policy, name = policy.name) => {
    const result = simulate(history, policy);
    bills[name] = round(result.bill);
    progress(
      `${name}: bill ${result.bill.toFixed(1)}, energy ${result.energy_cost.toFixed(1)}, power ${result.demand_cost.toFixed(0)}, ${result.cycles.toFixed(0)} cycles, peak ${result.peak_kW.toFixed(2)} kW, end ${result.energy_kWh.at(-1)!.toFixed(2)} kWh`,
    );
    return result;
  };
  const target = ({ t }: View) => TARGETS[history.month[t]! % 12]!;
  note(createNoStorage());
  note(createSelfConsumption());
  note(createArbitrage('arbitrage', () => Infinity));
  note(createPeakShaving(target));
  note(createArbitrage('capped_arbitrage', target));
  const prescient = note(createPrescient(history, END_kWh)).bill;
  const before = process.cpuUsage();
  const planned = options.plan === 'no' ? null : note(planPolicy(home, first, hours, options, progress), 'plan').bill;
  const { user, system } = process.cpuUsage(before);
  return {
    bill_nok: planned === null ? null : round(planned),
    prescient_nok: round(prescient),
    capture_pct: planned === null ? null : round((100 * (bills.none! - planned)) / (bills.none! - prescient)),
    cpu_s: round((user + system) / 1e6),
    ...Object.fromEntries(Object.entries(bills).map(([name, bill]) => [`bill_${name}`, bill])),
  };
}

export function historyOf(home: Home, first: number, hours: number): History {
  const part = (values: Float64Array) => values.slice(first, first + hours);
  const [day_ahead, time_of_use] = [part(home.day_ahead), part(home.time_of_use)];
  return {
    hours: 1,
    net_kWh: part(home.load_kWh),
    price: day_ahead.map((price, t) => price + time_of_use[t]!),
    feed_in: new Float64Array(hours),
    day: home.day.slice(first, first + hours),
    month: home.month.slice(first, first + hours),
    import_limit_kW: 20,
    peaks: PEAKS,
    store: STORE,
  };
}

/** Plans the next 720 hours anew each hour over possible courses, and carries out the first. */
function planPolicy(
  home: Home,
  first: number,
  total: number,
  options: BenchOptions,
  progress: (line: string) => void,
): Policy {
  const horizon = Number(options.horizon ?? 720);
  const courses = createCourses(home, first, Number(options.courses ?? 4));
  const over_price = Number(options.over ?? 20);
  return {
    name: 'plan',
    decide({ t, energy_kWh, peaks_kW }) {
      if (t % 720 === 0) progress(`planned ${t} hours`);
      const hours = Math.min(horizon, total - t);
      const { load_kWh, price } = courses(first + t, hours);
      const months = monthsOf(home, first + t, hours);
      const { change_kWh } = decideStepped(
        {
          limits: STORE,
          peaks: PEAKS,
          hours: 1,
          courses: load_kWh.map((load, j) =>
            Array.from(load, (net_kWh, k) => ({ net_kWh, price: price[j]![k]!, feed_in: 0 })),
          ),
          months,
          past_kW: peaks_kW.slice(0, -1),
          today_kW: peaks_kW.at(-1)!,
          days_left: daysLeft(home, first + t),
          spread: (k) => (k < SPREAD_HOURS ? SPREAD : CERTAIN),
          over_price,
          end: { wanted_kWh: END_kWh, short_price: t + hours >= total ? 60 : 15 },
        },
        energy_kWh,
      );
      return change_kWh > 0 ? change_kWh / STORE.charge_efficiency : change_kWh * STORE.discharge_efficiency;
    },
  };
}

function monthsOf(home: Home, from: number, hours: number): MonthSpan[] {
  const spans: MonthSpan[] = [];
  for (let k = 0; k < hours; k++)
    if (k === 0 || home.month[from + k] !== home.month[from + k - 1]) spans.push({ from: k, to: k + 1, share: 0 });
    else spans.at(-1)!.to = k + 1;
  return spans.map((span) => ({ ...span, share: Math.min(1, (span.to - span.from) / MONTH_HOURS) }));
}

function daysLeft(home: Home, t: number): number {
  const date = new Date(home.day[t]! * 86_400_000);
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate() - date.getUTCDate() + 1;
}

const round = (value: number) => Math.round(value * 10) / 10;
