/** Energy of meter points that tell only power, in the sense of their role. */
import type { DrainedSeries, SlotReplacement } from '../../connectors/series/store.ts';
import type { MeterRole } from '../../engine/model/site.ts';
import { SLOT_MS } from '../../engine/model/time.ts';
import type { SlotColumns } from '../../engine/ports.ts';
import { energyFromPower } from '../../engine/quality/slots.ts';

/** Quantities that tell energy, so that nothing is to be made of power. */
export const ENERGY = ['import_kWh', 'export_kWh', 'import_interval_kWh', 'export_interval_kWh'];

type Range = { from_ms: number; to_ms: number };

export function roleOf(roles: ReadonlyMap<string, MeterRole>, tenant: string, meter: string): MeterRole {
  return roles.get(JSON.stringify([tenant, meter])) ?? 'load';
}

/** For generation and batteries positive power is energy given (export_kWh), for all others energy taken. */
export function givesWhenPositive(role: MeterRole): boolean {
  return role === 'generation' || role === 'battery';
}

export function addEnergy(
  role: MeterRole,
  tenant: string,
  range: Range & { meter: string },
  power: SlotColumns,
  replacements: SlotReplacement[],
): void {
  const gives = givesWhenPositive(role);
  const bothWays = role === 'grid' || role === 'battery';
  for (const quantity of ['import_kWh', 'export_kWh'] as const) {
    const usual = (quantity === 'export_kWh') === gives;
    const slots = energyFromPower(power, usual ? 'import' : 'export');
    // A load that never feeds in gets no row of zeros for each of its slots.
    if (!usual && !bothWays && !slots.values.some((value) => value > 0)) continue;
    replacements.push({ tenant, range: { ...range, quantity }, slots, spans: [] });
  }
}

/** After a change of role: the energy of a meter that has only power, from its stored power slots. */
export async function turnEnergyAround(
  store: DrainedSeries,
  roles: ReadonlyMap<string, MeterRole>,
  tenant: string,
  meter: string,
): Promise<void> {
  const known = await store.list(tenant);
  if (known.some((one) => one.meter === meter && ENERGY.includes(one.quantity))) return;
  const power = await store.slots.read(tenant, { meter, quantity: 'power_W', from_ms: -8.64e15, to_ms: 8.64e15 });
  if (power.at_ms.length === 0) return;
  const range = { meter, from_ms: power.at_ms[0]!, to_ms: power.at_ms.at(-1)! + SLOT_MS };
  const none = { at_ms: new Float64Array(0), values: new Float64Array(0), quality: new Int32Array(0) };
  const replacements: SlotReplacement[] = [];
  addEnergy(roleOf(roles, tenant, meter), tenant, range, power, replacements);
  for (const quantity of ['import_kWh', 'export_kWh'])
    if (!replacements.some((one) => one.range.quantity === quantity))
      replacements.push({ tenant, range: { ...range, quantity }, slots: none, spans: [] });
  await store.slots.replaceMany(replacements);
}
