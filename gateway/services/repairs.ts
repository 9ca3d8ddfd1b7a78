/** Values that a person sets over readings: checked, written to the audit log, then laid over the readings. */
import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import { quantityInfo } from '../../engine/model/quantity.ts';
import type { Repair } from '../../engine/ports.ts';
import type { Actor, Services } from '../services.ts';

export type RepairDeps = Pick<Services, 'series' | 'meters' | 'audit'>;

/**
 * All or nothing of the check; `value` null is known to be missing, undefined lifts the repair. The audit entry comes
 * first, so that no repair stands without one. Slots, totals and costs follow before it resolves.
 * @throws NotFoundError, InvalidDataError
 */
export async function applyRepairs(
  { series, meters, audit }: RepairDeps,
  actor: Actor,
  reason: string,
  repairs: readonly Omit<Repair, 'by'>[],
): Promise<void> {
  for (const { meter, quantity } of repairs) requireSeries(meters, actor.tenant, meter, quantity);
  for (const meter of new Set(repairs.map((one) => one.meter)))
    await audit.record(actor, 'repair readings', meter, {
      reason,
      repairs: repairs.filter((one) => one.meter === meter),
    });
  await series.readings.repair(
    actor.tenant,
    repairs.map((one) => ({ ...one, by: actor.person })),
  );
}

/** @throws NotFoundError for an unknown meter point, InvalidDataError for a virtual one or an unknown quantity. */
export function requireSeries(meters: Services['meters'], tenant: string, meter: string, quantity: string): void {
  const point = meters.get(tenant, meter);
  if (!point) throw new NotFoundError(`There is no meter point "${meter}".`, 'GET /api/v1/meters lists them.');
  if (point.virtual)
    throw new InvalidDataError(`"${meter}" is computed from others.`, 'Repair the meter points it is made of.');
  if (!quantityInfo(quantity))
    throw new InvalidDataError(`"${quantity}" is no quantity.`, 'docs/reference/api.md lists them.');
}
