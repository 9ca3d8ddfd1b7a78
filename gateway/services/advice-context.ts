/** Gathers what the rules of the catalogue may look at, frozen at one instant. */
import type { PlanDevice } from '../../engine/dispatch/plan-devices.ts';
import { addDays, dayStart, instantOf, localTime, SLOT_MS, slotStart } from '../../engine/model/time.ts';
import type { Columns, Forecast } from '../../engine/ports.ts';
import type { AdviceContext, MeterState } from '../../recommender/action.ts';
import type {
  AlertService,
  Base,
  DataService,
  ForecastService,
  MeterService,
  PriceService,
  Services,
  SiteService,
} from '../services.ts';
import { controllableDevices, peakState } from './advice/grid-state.ts';
import { passagesOfInterest, type Similar } from './advice/interests.ts';
import { batteryLimits, planFacts } from './advice/plan-facts.ts';
import type { TariffFacts } from './advice/tariff-facts.ts';

export type AdviceContextDeps = Pick<Base, 'clock' | 'db'> & {
  site: SiteService;
  meters: MeterService;
  prices: PriceService;
  forecasts: ForecastService;
  data: DataService;
  alerts: AlertService;
  repairs: Pick<Services['repairs'], 'list'>;
  live: Pick<Services['live'], 'of'>;
  plans: Pick<Services['plans'], 'latest' | 'devices'>;
  tariffs: Pick<Services['tariffs'], 'current'>;
  compared: TariffFacts;
  similar: Similar;
};

const AHEAD_MS = 36 * 3_600_000;
const NIGHT_HOURS = [1, 4] as const;
const DAYS_BACK = 14;
const PRICE_DAYS = 30;
const PASSAGES = 6;
const REPAIRS = 20;
/** Meter points of charging points by their name, in both languages. */
const CHARGER = /charg|wallbox|\bladep|\bladesäul|\bladestation|\bevse?\b/i;

/** @returns null before set-up. What is unknown is null or empty; a part that fails makes its rules ineligible, no more. */
export async function gatherAdviceContext(
  deps: AdviceContextDeps,
  tenant: string,
  settings: { demand_charge_per_kW: number | null },
): Promise<{ site: string; context: AdviceContext } | null> {
  const site = deps.site.get(tenant);
  if (!site) return null;
  const at_ms = deps.clock.now();
  const tz = site.time_zone;
  const [prices, load, generation, battery, meters, night, yesterday_generation, more] = await Promise.all([
    orElse(priceSlots(deps, tenant, at_ms), []),
    orElse(forecastSlots(deps, tenant, 'load', at_ms), []),
    orElse(forecastSlots(deps, tenant, 'generation', at_ms), []),
    orElse(batteryUse(deps, tenant, at_ms, tz), null),
    orElse(meterStates(deps, tenant), []),
    orElse(nightLoads(deps, tenant, at_ms, tz), null),
    orElse(yesterdayGeneration(deps, tenant, at_ms, tz), null),
    gatherMore(deps, tenant, { at_ms, tz, ...settings }),
  ]);
  const needed = { at_ms, time_zone: tz, currency: site.currency, prices, load, generation, battery, meters };
  return { site: site.id, context: { ...needed, night, yesterday_generation, ...more } };
}

type Moment = { at_ms: number; tz: string; demand_charge_per_kW: number | null };

/** What only some kinds of advice need. */
async function gatherMore(deps: AdviceContextDeps, tenant: string, moment: Moment): Promise<Partial<AdviceContext>> {
  const { at_ms, tz } = moment;
  const [plan, devices] = await Promise.all([
    orElse(deps.plans.latest(tenant), null),
    orElse(deps.plans.devices(tenant), []),
  ]);
  const [peak, usual_per_kWh, passages, repairs, section_14a] = await Promise.all([
    orElse(peakState(deps, tenant, moment), null),
    orElse(usualPrice(deps, tenant, at_ms, tz), null),
    orElse(openPassages(deps, tenant), []),
    orElse(recentRepairs(deps, tenant, at_ms), []),
    orElse(controllableDevices(deps, tenant, devices, moment), null),
  ]);
  const chargers = chargersOf(deps, tenant, devices);
  return {
    ...{ peak, usual_per_kWh, passages, repairs, section_14a, ...planFacts(plan, devices, at_ms, tz) },
    tariffs: deps.compared.of(tenant)?.comparison ?? null,
    feed_in_per_kWh: plan?.export_price[0] ?? null,
    // A site whose charging points are not measured may have some all the same.
    ...(chargers.length > 0 ? { chargers } : {}),
  };
}

/** Charging points that are measured, and cars that the plan knows. */
function chargersOf({ meters }: AdviceContextDeps, tenant: string, devices: readonly PlanDevice[]) {
  const named = meters.list(tenant).filter(({ name, role }) => role !== 'grid' && CHARGER.test(name));
  const cars = devices.filter(({ kind }) => kind === 'vehicle');
  return [...named, ...cars].map(({ id, name }) => ({ id, name }));
}

async function usualPrice({ prices }: AdviceContextDeps, tenant: string, at_ms: number, tz: string) {
  const { columns } = await prices.site(tenant, addDays(slotStart(at_ms), -PRICE_DAYS, tz), slotStart(at_ms));
  const known = Array.from(columns.values).filter((value) => !Number.isNaN(value));
  return known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length;
}

/** Without whose question it was: the advice is for everybody. */
async function openPassages(deps: AdviceContextDeps, tenant: string) {
  const answered = await answeredObjects(deps, tenant, 'read_passage');
  const ids = new Set([...answered].map((object) => object.slice(object.indexOf(':') + 1)));
  const passages = await passagesOfInterest(deps, tenant, null, PASSAGES, ids);
  return passages.map(({ because: _because, ...hint }) => hint);
}

/** What advice of a kind that is given once was about, where somebody said yes or no to it. */
async function answeredObjects({ db }: AdviceContextDeps, tenant: string, kind: string): Promise<Set<string>> {
  const rows = await db.asTenant(tenant, (sql) =>
    sql<{ action_id: string }>(
      `select distinct action_id from feedback where outcome <> 'snoozed' and starts_with(action_id, $1)`,
      [`${kind}:`],
    ),
  );
  return new Set(rows.map(({ action_id }) => action_id.slice(kind.length + 1)));
}

async function recentRepairs(deps: AdviceContextDeps, tenant: string, at_ms: number) {
  const { repairs, meters } = deps;
  const answered = await answeredObjects(deps, tenant, 'confirm_repair');
  const acts = await repairs.list(tenant, null, { limit: REPAIRS });
  return acts.flatMap(({ id, meter, quantity, from_ms, to_ms, count, at_ms: made_ms, state, taken_back }) => {
    const point = meters.get(tenant, meter);
    const counts = state === 'done' && !taken_back && made_ms <= at_ms && !answered.has(id);
    return point && counts
      ? [{ id, meter, meter_name: point.name, quantity, from_ms, to_ms, count, at_ms: made_ms }]
      : [];
  });
}

async function orElse<T>(work: Promise<T>, fallback: T): Promise<T> {
  return work.catch(() => fallback);
}

async function priceSlots(
  { prices }: AdviceContextDeps,
  tenant: string,
  at_ms: number,
): Promise<AdviceContext['prices']> {
  const { columns } = await prices.site(tenant, slotStart(at_ms), at_ms + AHEAD_MS);
  return Array.from(columns.at_ms, (slot_ms, i) => ({ at_ms: slot_ms, per_kWh: orNull(columns.values[i]!) }));
}

async function forecastSlots(
  { forecasts }: AdviceContextDeps,
  tenant: string,
  series: string,
  at_ms: number,
): Promise<AdviceContext['load']> {
  const forecast: Forecast | null = await forecasts.latest(tenant, series, at_ms);
  return (forecast?.points ?? [])
    .filter((point) => point.at_ms >= slotStart(at_ms))
    .map((point) => ({ at_ms: point.at_ms, power_W: point.mean }));
}

async function batteryUse(
  { meters, data, live, plans }: AdviceContextDeps,
  tenant: string,
  at_ms: number,
  tz: string,
): Promise<AdviceContext['battery']> {
  const points = meters.list(tenant).filter((meter) => meter.role === 'battery');
  if (points.length === 0) return null;
  const charges = points.flatMap(({ id }) => live.of(tenant, id).get('soc_percent')?.value ?? []);
  const discharged: number[] = [];
  const today = dayStart(at_ms, tz);
  const columns = await data.balance(tenant, 'battery', addDays(today, -DAYS_BACK, tz), today);
  for (let day = addDays(today, -DAYS_BACK, tz); day < today; day = addDays(day, 1, tz)) {
    const energy = energyBetween(columns, day, addDays(day, 1, tz));
    if (energy !== null) discharged.push(energy);
  }
  // One of several that is not full can still be charged.
  const limits = batteryLimits(await orElse(plans.devices(tenant), []));
  return {
    daily_kWh: median(discharged),
    ...limits,
    ...(charges.length > 0 ? { soc_percent: Math.min(...charges) } : {}),
  };
}

async function meterStates({ meters, alerts }: AdviceContextDeps, tenant: string): Promise<MeterState[]> {
  const open = await alerts.list(tenant, { open_only: true });
  const since = (kind: string, meter: string) =>
    open.find((alert) => alert.kind === kind && alert.object === meter)?.opened_ms ?? null;
  return meters.list(tenant).map(({ id, name, role }) => ({
    id,
    name,
    role,
    silent_since_ms: since('meter_silent', id),
    stuck_since_ms: since('meter_stuck', id),
  }));
}

async function nightLoads(
  { data }: AdviceContextDeps,
  tenant: string,
  at_ms: number,
  tz: string,
): Promise<AdviceContext['night']> {
  const today = dayStart(at_ms, tz);
  const columns = await data.balance(tenant, 'load', addDays(today, -DAYS_BACK, tz), at_ms);
  const nights: (number | null)[] = [];
  for (let back = 0; back <= DAYS_BACK; back++) {
    const { year, month, day } = localTime(addDays(today, -back, tz), tz);
    nights.push(
      meanBetween(
        columns,
        instantOf(tz, year, month, day, NIGHT_HOURS[0]),
        instantOf(tz, year, month, day, NIGHT_HOURS[1]),
      ),
    );
  }
  const [last_W, ...earlier] = nights;
  const usual_W = median(earlier.filter((value) => value !== null));
  return last_W == null || usual_W === null || earlier.filter((value) => value !== null).length < 5
    ? null
    : { last_W, usual_W };
}

async function yesterdayGeneration(
  { data, forecasts }: AdviceContextDeps,
  tenant: string,
  at_ms: number,
  tz: string,
): Promise<AdviceContext['yesterday_generation']> {
  const to_ms = dayStart(at_ms, tz);
  const from_ms = addDays(to_ms, -1, tz);
  const measured = await data.balance(tenant, 'generation', from_ms, to_ms);
  const expected = await forecasts.past(tenant, 'generation', from_ms, to_ms);
  const measured_kWh = energyBetween(measured, from_ms, to_ms);
  const forecast_kWh = energyBetween(expected, from_ms, to_ms);
  return measured_kWh === null || forecast_kWh === null ? null : { measured_kWh, forecast_kWh };
}

const orNull = (value: number) => (Number.isNaN(value) ? null : value);

function between({ at_ms, values }: Columns, from_ms: number, to_ms: number): number[] {
  return Array.from(values).filter((value, i) => at_ms[i]! >= from_ms && at_ms[i]! < to_ms && !Number.isNaN(value));
}

/** Energy of the positive part in kWh; null unless at least nine tenths of the slots are known. */
function energyBetween(columns: Columns, from_ms: number, to_ms: number): number | null {
  const known = between(columns, from_ms, to_ms);
  if (known.length < (0.9 * (to_ms - from_ms)) / SLOT_MS) return null;
  return (known.reduce((sum, power_W) => sum + Math.max(0, power_W), 0) * SLOT_MS) / 3.6e9;
}

function meanBetween(columns: Columns, from_ms: number, to_ms: number): number | null {
  const known = between(columns, from_ms, to_ms);
  return known.length < (0.9 * (to_ms - from_ms)) / SLOT_MS ? null : known.reduce((a, b) => a + b, 0) / known.length;
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}
