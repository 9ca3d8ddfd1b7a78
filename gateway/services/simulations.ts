/** What a battery would have done in past months under simple rules, plans and perfect foresight: as a job with progress. */
import { z } from 'zod';
import { type PolicyName, type SiteCourse, savingInterval } from '../../engine/dispatch/site-simulation.ts';
import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import { addMonths, localTime, SLOT_MS, slotStart } from '../../engine/model/time.ts';
import type { Sql } from '../../engine/ports.ts';
import { createRandom } from '../../engine/random.ts';
import type { TariffVersion } from '../../engine/tariff/tariff.ts';
import { coveredParts } from '../../engine/tariff/versions.ts';
import type {
  Actor,
  Base,
  DataService,
  ForecastService,
  JobService,
  PriceService,
  SiteService,
  TariffService,
  Workers,
} from '../services.ts';
import type { SimulatedPolicy, SimulateResult, SimulateTask } from '../workers/simulate-site.ts';
import type { SiteEnergyDeps } from './bills/energy.ts';
import { monthStart } from './bills.ts';
import { type Billing, gatherBilling } from './plans/billing.ts';
import { parseWith } from './plans/devices.ts';
import { tariffExamples } from './tariff-examples.ts';

const month = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'is no month such as 2026-04');
export const SimulationSchema = z.strictObject({
  from: month.describe('First local month.'),
  to: month.describe('Last local month; the running one counts until now.'),
  capacity_kWh: z.number().positive().max(1e6),
  power_kW: z.number().positive().max(1e6).describe('Most charging and discharging power.'),
  efficiency: z.number().min(0.5).max(1).default(0.95).describe('Each way.'),
  tariff: z
    .string()
    .max(200_000)
    .optional()
    .describe("An example's id or a tariff's YAML; the site's own where left out."),
});
export type SimulationAsked = z.infer<typeof SimulationSchema>;

export type SimulationPolicy = {
  name: PolicyName;
  bill: number;
  /** Against no battery, with its 95 % interval by a bootstrap over blocks of days. */
  saving: number;
  low: number;
  high: number;
  /** Share of what perfect foresight saves; null where that is nothing. */
  capture: number | null;
  cycles: number;
  peak_kW: number;
};
export type SimulationResult = {
  currency: string;
  from_ms: number;
  to_ms: number;
  days: number;
  days_left_out: number;
  policies: SimulationPolicy[];
};
export type StoredSimulation = {
  id: string;
  asked: SimulationAsked;
  by: string;
  at_ms: number;
  state: 'waiting' | 'running' | 'done' | 'failed';
  done: number;
  total: number;
  result: SimulationResult | null;
  problem: string | null;
};

export interface SimulationService {
  /** Begins one as a job. @throws InvalidDataError */
  begin(actor: Actor, asked: unknown): Promise<string>;
  /** Works one out and resolves with it; for the command line. */
  run(tenant: string, asked: unknown, told?: (done: number, total: number) => void): Promise<SimulationResult>;
  get(tenant: string, id: string): Promise<StoredSimulation>;
  /** Newest first. */
  list(tenant: string): Promise<StoredSimulation[]>;
}

export type SimulationDeps = Pick<Base, 'db' | 'clock' | 'log' | 'bus'> &
  SiteEnergyDeps & {
    site: Pick<SiteService, 'get'>;
    data: Pick<DataService, 'balance'>;
    tariffs: Pick<TariffService, 'versions' | 'read'>;
    prices: Pick<PriceService, 'context' | 'slots'>;
    forecasts: Pick<ForecastService, 'past'>;
    workers: Pick<Workers, 'run'>;
    jobs: Pick<JobService, 'define' | 'send'>;
  };

const QUEUE = 'simulate';
const NAMES: readonly PolicyName[] = ['none', 'self-consumption', 'shaving', 'arbitrage', 'plan', 'perfect'];
const SEED = 14;
const POLICY_MS = 280_000;
const MOST_MONTHS = 13;
const LEAST_DAYS = 2;

/** `start` declares the job, before the job service starts. */
export function createSimulations(deps: SimulationDeps): SimulationService & { start(): void } {
  const { db, clock, bus } = deps;
  const siteOf = (tenant: string) => {
    const site = deps.site.get(tenant);
    if (!site) throw new InvalidDataError('There is no site yet.', 'Set the site up first.');
    return site;
  };

  async function run(tenant: string, value: unknown, told: (done: number, total: number) => void = () => undefined) {
    const asked = parseWith(SimulationSchema, value, 'The simulation');
    const { course, billing } = await gatherCourse(deps, tenant, asked, siteOf(tenant).time_zone);
    const found: SimulatedPolicy[] = [];
    let days_left_out = 0;
    for (const name of NAMES) {
      const task: SimulateTask = { course, names: [name], seed: SEED, billing };
      const result = await deps.workers.run<SimulateResult>('simulate-site', task, { timeout_ms: POLICY_MS });
      found.push(...result.policies);
      days_left_out = result.days_left_out;
      told(found.length, NAMES.length);
    }
    return resultOf(found, billing, course, days_left_out);
  }

  const update = (tenant: string, id: string, text: string, parameters: readonly unknown[]) =>
    db.asTenant(tenant, (sql) => sql(`update simulation set ${text} where id = $1`, [id, ...parameters]));

  return {
    run,
    async begin(actor, value) {
      const { tenant } = actor;
      const asked = parseWith(SimulationSchema, value, 'The simulation');
      monthsOf(asked, siteOf(tenant).time_zone, clock.now());
      const id = await db.asTenant(tenant, async (sql) => {
        const [row] = await sql<{ id: string }>(
          `insert into simulation (tenant_id, site_id, asked, by, at, state, total) values ($1, $2, $3, $4, to_timestamp($5 / 1000.0), 'waiting', $6) returning id`,
          [tenant, siteOf(tenant).id, JSON.stringify(asked), actor.person, clock.now(), NAMES.length],
        );
        return row!.id;
      });
      await deps.jobs.send(QUEUE, { tenant, id }, { dedupe: id });
      return id;
    },
    get: (tenant, id) =>
      db.asTenant(tenant, async (sql) => {
        const [found] = await readSimulations(sql, 'where id::text = $1', [id]);
        if (!found) throw new NotFoundError('There is no such simulation.', 'GET /api/v1/simulations lists them.');
        return found;
      }),
    list: (tenant) => db.asTenant(tenant, (sql) => readSimulations(sql, 'order by at desc limit 50', [])),
    start() {
      deps.jobs.define<{ tenant: string; id: string }>(
        QUEUE,
        async ({ tenant, id }) => {
          const [row] = await db.asTenant(tenant, (sql) => readSimulations(sql, 'where id::text = $1', [id]));
          if (!row || row.state === 'done') return;
          await update(tenant, id, `state = 'running', done = 0`, []);
          // One after another: a late one would overwrite what is newer.
          let kept: Promise<unknown> = Promise.resolve();
          const told = (done: number, total: number) => {
            bus.publish({ type: 'progress', tenant, task: `simulation ${id}`, done, total, text: '' });
            kept = kept
              .then(() => update(tenant, id, 'done = $2', [done]))
              .catch((error: unknown) => deps.log.warn({ err: error }, 'progress was not kept'));
          };
          try {
            const result = await run(tenant, row.asked, told).finally(() => kept);
            await update(tenant, id, `state = 'done', done = total, result = $2`, [JSON.stringify(result)]);
          } catch (error) {
            const problem =
              error instanceof InvalidDataError
                ? [error.message, error.remedy].filter(Boolean).join(' ')
                : 'It failed; the log says why.';
            await update(tenant, id, `state = 'failed', problem = $2`, [problem]);
            if (!(error instanceof InvalidDataError)) throw error;
          }
        },
        { retries: 1, timeout_s: 1800 },
      );
    },
  };
}

/** @throws InvalidDataError @returns starts of the months, and the end of the last one or now */
function monthsOf({ from, to }: SimulationAsked, time_zone: string, now_ms: number): number[] {
  const end_ms = Math.min(addMonths(monthStart(to, time_zone), 1, time_zone), slotStart(now_ms));
  const bounds = [monthStart(from, time_zone)];
  while (addMonths(bounds.at(-1)!, 1, time_zone) < end_ms) bounds.push(addMonths(bounds.at(-1)!, 1, time_zone));
  if (!(bounds[0]! + LEAST_DAYS * 86_400_000 < end_ms))
    throw new InvalidDataError('These months hold less than two days of the past.', 'Choose earlier ones.');
  if (bounds.length > MOST_MONTHS)
    throw new InvalidDataError(`${bounds.length} months are too many at once.`, `Ask for up to ${MOST_MONTHS}.`);
  return [...bounds, end_ms];
}

export async function gatherCourse(
  deps: SimulationDeps,
  tenant: string,
  asked: SimulationAsked,
  time_zone: string,
): Promise<{ course: SiteCourse; billing: Billing }> {
  const versions = versionsOf(deps, tenant, asked);
  const bounds_ms = monthsOf(asked, time_zone, deps.clock.now());
  const [from_ms, to_ms] = [bounds_ms[0]!, bounds_ms.at(-1)!];
  const [load, generation, load_ahead, generation_ahead, prices, billing] = await Promise.all([
    deps.data.balance(tenant, 'load', from_ms, to_ms),
    deps.data.balance(tenant, 'generation', from_ms, to_ms),
    deps.forecasts.past(tenant, 'load', from_ms, to_ms),
    deps.forecasts.past(tenant, 'generation', from_ms, to_ms),
    deps.prices.slots(tenant, from_ms, to_ms, versions),
    gatherBilling(deps, tenant, versions, bounds_ms),
  ]);
  if (load.values.every(Number.isNaN))
    throw new InvalidDataError(
      'The load was not measured in these months.',
      'Choose months with readings, or import them.',
    );
  const generates = deps.meters.list(tenant).some(({ role }) => role === 'generation');
  const ahead = new Map(Array.from(load_ahead.at_ms, (at, i) => [at, load_ahead.values[i]!]));
  const sun = new Map(Array.from(generation_ahead.at_ms, (at, i) => [at, generation_ahead.values[i]!]));
  const kWh = 1 / 4000;
  const count = Math.round((to_ms - from_ms) / SLOT_MS);
  const at = (t: number) => from_ms + t * SLOT_MS;
  const numbered = numbersOf(at, count, time_zone);
  return {
    billing,
    course: {
      ...{ hours: 0.25, ...numbered, import_limit_kW: null },
      net_kWh: Float64Array.from(
        { length: count },
        (_, t) => kWh * (load.values[t]! - (generates ? generation.values[t]! : 0)),
      ),
      forecast_kWh: Float64Array.from(
        { length: count },
        (_, t) => kWh * ((ahead.get(at(t)) ?? Number.NaN) - (generates ? (sun.get(at(t)) ?? Number.NaN) : 0)),
      ),
      price: prices.import_per_kWh.slice(0, count),
      feed_in: prices.export_per_kWh.slice(0, count),
      per_kW: perKW(versions, from_ms) * billedShare(bounds_ms, time_zone),
      store: {
        ...{ capacity_kWh: asked.capacity_kWh, charge_kW: asked.power_kW, discharge_kW: asked.power_kW },
        ...{ charge_efficiency: asked.efficiency, discharge_efficiency: asked.efficiency },
      },
    },
  };
}

function versionsOf(
  { tariffs }: SimulationDeps,
  tenant: string,
  { tariff: text }: SimulationAsked,
): readonly TariffVersion[] {
  if (text === undefined || text === '') return tariffs.versions(tenant);
  const { tariff, faults } = tariffs.read(tariffExamples().find(({ id }) => id === text)?.yaml ?? text);
  if (!tariff)
    throw new InvalidDataError('The tariff cannot be read.', 'POST /api/v1/tariff/check names its faults.', faults);
  return [{ valid_from: '1970-01-01', tariff }];
}

/** Numbers of local days and months from 0 on. */
function numbersOf(
  at: (t: number) => number,
  count: number,
  time_zone: string,
): { day: Int32Array; month: Int32Array } {
  const [day, month] = [new Int32Array(count), new Int32Array(count)];
  let [days, months, last_day, last_month] = [-1, -1, -1, -1];
  for (let t = 0; t < count; t++) {
    const wall = localTime(at(t), time_zone);
    if (wall.day !== last_day) [days, last_day] = [days + 1, wall.day];
    if (wall.month !== last_month) [months, last_month] = [months + 1, wall.month];
    day[t] = days;
    month[t] = months;
  }
  return { day, month };
}

/** What a kW of the month's peak costs, for what policies aim at; the bill itself counts the tariff's own way. */
function perKW(versions: readonly TariffVersion[], at_ms: number): number {
  const [part] = coveredParts(versions, at_ms, at_ms + 1);
  let sum = 0;
  for (const { price, period, vat_percent } of part?.tariff.demand ?? []) {
    const vat = 1 + vat_percent / 100;
    const own =
      price.kind === 'linear'
        ? price.per_kW
        : price.kind === 'blocks'
          ? (price.blocks[0]?.per_kW ?? 0)
          : (price.steps.at(-1)!.amount - price.steps[0]!.amount) /
            Math.max(1, (price.steps.at(-2) ?? price.steps[0]!).up_to_kW);
    sum += (own * vat) / (period === 'year' ? 12 : 1);
  }
  return sum;
}

/** A month that still runs is billed by its days: policies must not shy from a peak as if all of it were. */
function billedShare(bounds_ms: readonly number[], time_zone: string): number {
  const [from_ms, to_ms, more] = bounds_ms;
  if (more !== undefined) return 1;
  return (to_ms! - from_ms!) / (addMonths(from_ms!, 1, time_zone) - from_ms!);
}

function resultOf(
  found: readonly SimulatedPolicy[],
  billing: Billing,
  course: SiteCourse,
  days_left_out: number,
): SimulationResult {
  const of = (name: PolicyName) => found.find((one) => one.name === name)!;
  const [none, perfect] = [of('none'), of('perfect')];
  if (found.some(({ bill }) => bill === null))
    throw new InvalidDataError(
      'A price of these months is missing, so that they have no bill.',
      'The page Prices says how its sources do.',
    );
  const best = none.bill! - perfect.bill!;
  const empty = new Float64Array();
  return {
    ...{ currency: none.currency, from_ms: billing.bounds_ms[0]!, to_ms: billing.bounds_ms.at(-1)! },
    ...{ days: new Set(course.day).size, days_left_out },
    policies: found.map((one) => {
      const saving = none.bill! - one.bill!;
      const courses = [none, one].map((each) => ({ ...each, grid_kWh: empty, energy_kWh: empty }));
      const { low, high } = savingInterval(courses[0]!, courses[1]!, saving, createRandom(SEED));
      return {
        ...{ name: one.name, bill: one.bill!, saving, low, high, cycles: one.cycles, peak_kW: one.peak_kW },
        capture: best > 0.005 ? saving / best : null,
      };
    }),
  };
}

type Row = Omit<StoredSimulation, 'at_ms'> & { at: Date };

async function readSimulations(sql: Sql, what: string, parameters: readonly unknown[]): Promise<StoredSimulation[]> {
  const rows = await sql<Row>(
    `select id, asked, by, at, state, done, total, result, problem from simulation ${what}`,
    parameters,
  );
  return rows.map(({ at, ...row }) => ({ ...row, at_ms: at.getTime() }));
}
