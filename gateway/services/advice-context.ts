/** Gathers what the rules of the catalogue may look at, frozen at one instant. */
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
  SiteService,
} from '../services.ts';

export type AdviceContextDeps = Pick<Base, 'clock'> & {
  site: SiteService;
  meters: MeterService;
  prices: PriceService;
  forecasts: ForecastService;
  data: DataService;
  alerts: AlertService;
};

const AHEAD_MS = 36 * 3_600_000;
const NIGHT_HOURS = [1, 4] as const;
const DAYS_BACK = 14;

/** @returns null before set-up. What is unknown is null or empty; a part that fails makes its rules ineligible, no more. */
export async function gatherAdviceContext(
  deps: AdviceContextDeps,
  tenant: string,
): Promise<{ site: string; context: AdviceContext } | null> {
  const site = deps.site.get(tenant);
  if (!site) return null;
  const at_ms = deps.clock.now();
  const [prices, load, generation, battery, meters, night, yesterday_generation] = await Promise.all([
    orElse(priceSlots(deps, tenant, at_ms), []),
    orElse(forecastSlots(deps, tenant, 'load', at_ms), []),
    orElse(forecastSlots(deps, tenant, 'generation', at_ms), []),
    orElse(batteryUse(deps, tenant, at_ms, site.time_zone), null),
    orElse(meterStates(deps, tenant), []),
    orElse(nightLoads(deps, tenant, at_ms, site.time_zone), null),
    orElse(yesterdayGeneration(deps, tenant, at_ms, site.time_zone), null),
  ]);
  const context = {
    at_ms,
    time_zone: site.time_zone,
    currency: site.currency,
    prices,
    load,
    generation,
    battery,
    meters,
    night,
    yesterday_generation,
  };
  return { site: site.id, context };
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
  { meters, data }: AdviceContextDeps,
  tenant: string,
  at_ms: number,
  tz: string,
): Promise<AdviceContext['battery']> {
  if (!meters.list(tenant).some((meter) => meter.role === 'battery')) return null;
  const discharged: number[] = [];
  const today = dayStart(at_ms, tz);
  const columns = await data.balance(tenant, 'battery', addDays(today, -DAYS_BACK, tz), today);
  for (let day = addDays(today, -DAYS_BACK, tz); day < today; day = addDays(day, 1, tz)) {
    const energy = energyBetween(columns, day, addDays(day, 1, tz));
    if (energy !== null) discharged.push(energy);
  }
  return { daily_kWh: median(discharged) };
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
