/** Looks once an hour for faults that only weeks of a meter's own past show, and keeps their alerts. */
import type { MeterPoint } from '../../engine/model/site.ts';
import { HOUR_MS } from '../../engine/model/time.ts';
import { type FaultKind, findMeterFaults, hoursOf, type MeterFault, PAST_DAYS } from '../../engine/quality/faults.ts';
import type { Alert, AlertKind } from '../services.ts';
import type { QualityDeps } from './quality.ts';

export const FAULT_ALERTS: Readonly<Record<FaultKind, AlertKind>> = {
  gap: 'meter_gap',
  stuck: 'meter_standstill',
  night_load: 'night_load',
};
/** Energy tells best; power only where there is none. */
const TAKEN = ['import_kWh', 'gas_m3', 'heat_kWh', 'water_m3', 'power_W'];
const GIVEN = ['export_kWh', 'power_W'];
/** What generates or stores has no load at night: it follows the sun and the plan. */
const gives = ({ role }: MeterPoint): boolean => role === 'generation' || role === 'battery';
const DAY_MS = 24 * HOUR_MS;
const LOOK_MS = (PAST_DAYS + 14) * DAY_MS;
/** A fault stays open while it reaches into this time. */
const OPEN_MS = DAY_MS;

export function createFaultWatch(deps: QualityDeps) {
  const { clock, alerts, meters, site, series, log } = deps;

  async function faultsOf(tenant: string, point: MeterPoint, quantities: readonly string[]) {
    const meter = point.id;
    const quantity = (gives(point) ? GIVEN : TAKEN).find((name) => quantities.includes(name));
    if (quantity === undefined) return [];
    const now_ms = Math.floor(clock.now() / HOUR_MS) * HOUR_MS;
    const slots = await series.slots.read(tenant, { meter, quantity, from_ms: now_ms - LOOK_MS, to_ms: now_ms });
    const last = slots.values.findLastIndex((value) => !Number.isNaN(value));
    if (last < 0) return [];
    // What is missing since the newest value is the silence that `meter_silent` tells of at once.
    const to_ms = Math.floor(slots.at_ms[last]! / HOUR_MS) * HOUR_MS;
    const hours = hoursOf(slots, now_ms - LOOK_MS, Math.max(now_ms - LOOK_MS, to_ms));
    const zone = site.get(tenant)?.time_zone ?? 'UTC';
    return findMeterFaults(hours, zone, now_ms - OPEN_MS)
      .filter(({ kind }) => kind !== 'night_load' || !gives(point))
      .map((fault) => ({ ...fault, quantity }));
  }

  async function settle(
    tenant: string,
    meter: string,
    faults: readonly (MeterFault & { quantity: string })[],
    open: readonly Alert[],
  ): Promise<void> {
    for (const [kind, alert] of Object.entries(FAULT_ALERTS)) {
      const fault = faults.findLast((one) => one.kind === kind);
      if (fault) {
        const { from_ms: since_ms, to_ms: until_ms, value, usual, quantity } = fault;
        await alerts.raise(tenant, alert, meter, 'warning', { quantity, since_ms, until_ms, value, usual });
      } else if (open.some((one) => one.kind === alert && one.object === meter))
        await alerts.clear(tenant, alert, meter);
    }
  }

  return {
    /** One round over the tenant's meter points. */
    async round(tenant: string): Promise<void> {
      const open = await alerts.list(tenant, { open_only: true, limit: 10_000 });
      const known = await series.list(tenant);
      for (const point of meters.list(tenant)) {
        const { id } = point;
        if (point.virtual) continue;
        const own = known.filter((one) => one.meter === id).map((one) => one.quantity);
        // Slots of energy are made of power where there is no register.
        const quantities = own.includes('power_W') ? [...own, 'import_kWh', 'export_kWh'] : own;
        // What is wrong with one meter must not keep the others from being looked at.
        try {
          await settle(tenant, id, await faultsOf(tenant, point, quantities), open);
        } catch (error) {
          log.warn({ err: error, tenant_id: tenant, meter_id: id }, 'the faults of a meter could not be looked for');
        }
      }
    },
  };
}
