/** What the meters say of the grid's side: the highest power of the month or year, and what controllable devices take. */
import type { PlanDevice } from '../../../engine/dispatch/plan-devices.ts';
import { addDays, dayStart, instantOf, localTime, SLOT_MS, slotStart } from '../../../engine/model/time.ts';
import type { DataService, Services } from '../../services.ts';
import { peakPrice, section14aFacts } from './grid-facts.ts';
import type { TariffFacts } from './tariff-facts.ts';

export type GridStateDeps = {
  data: Pick<DataService, 'balance' | 'query'>;
  tariffs: Pick<Services['tariffs'], 'current'>;
  compared: TariffFacts;
};
type Moment = { at_ms: number; tz: string; demand_charge_per_kW: number | null };

/** Share of the days that a device's own meter must have measured. */
const MEASURED = 0.9;

/** By the price that was entered for the advice, otherwise by the tariff's. */
export async function peakState(deps: GridStateDeps, tenant: string, { at_ms, tz, demand_charge_per_kW }: Moment) {
  const tariff = deps.tariffs.current(tenant)?.tariff;
  const price =
    demand_charge_per_kW === null ? tariff && peakPrice(tariff) : { demand_charge_per_kW, period: 'month' as const };
  if (!price) return null;
  const month_peak_W = await highestPower(deps, tenant, at_ms, tz, price.period);
  return month_peak_W === null ? null : { month_peak_W, ...price };
}

export async function controllableDevices(
  deps: GridStateDeps,
  tenant: string,
  devices: readonly PlanDevice[],
  { at_ms, tz }: Moment,
) {
  const tariff = deps.tariffs.current(tenant)?.tariff;
  if (!tariff || !devices.some(({ section_14a }) => section_14a !== null)) return null;
  const energy = devices.map((device) =>
    device.section_14a === null ? 0 : device.kind === 'battery' || device.meter === null ? null : device.meter,
  );
  const year_kWh = deps.compared.of(tenant)?.year_kWh ?? null;
  const taken = await Promise.all(
    energy.map((meter) => (typeof meter === 'string' ? takenIn30Days(deps, tenant, meter, at_ms, tz) : meter)),
  );
  const known = taken.flatMap((kWh) => kWh ?? []);
  const devices_kWh = known.length < taken.length ? null : (365 / 30) * known.reduce((a, b) => a + b, 0);
  return section14aFacts(devices, tariff, { year_kWh, devices_kWh });
}

/** Energy of one meter point; null where it was not measured for most of the time. */
async function takenIn30Days({ data }: GridStateDeps, tenant: string, meter: string, at_ms: number, tz: string) {
  const to_ms = dayStart(at_ms, tz);
  const from_ms = addDays(to_ms, -30, tz);
  const query = { meter, quantity: 'power_W', from_ms, to_ms, resolution: 'slot' as const, tz };
  const { columns } = await data.query(tenant, query);
  const known = Array.from(columns.values).filter((value) => !Number.isNaN(value));
  const slots = (to_ms - from_ms) / SLOT_MS;
  if (known.length < MEASURED * slots) return null;
  return (slots / known.length) * known.reduce((sum, power_W) => sum + (Math.max(0, power_W) * SLOT_MS) / 3.6e9, 0);
}

/** Highest 15-minute mean taken from the grid since the local month or year began. */
async function highestPower(
  { data }: GridStateDeps,
  tenant: string,
  at_ms: number,
  tz: string,
  period: 'month' | 'year',
) {
  const { year, month } = localTime(at_ms, tz);
  const from_ms = instantOf(tz, year, period === 'year' ? 1 : month, 1);
  const { values } = await data.balance(tenant, 'grid', from_ms, slotStart(at_ms));
  const known = Array.from(values).filter((value) => !Number.isNaN(value));
  return known.length === 0 ? null : known.reduce((a, b) => Math.max(a, b), 0);
}
