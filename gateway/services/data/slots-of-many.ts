/** Slots of many meter points with one question to the series store. */
import { SLOT_MS } from '../../../engine/model/time.ts';
import type { Columns } from '../../../engine/ports.ts';
import type { DataSource } from '../data.ts';
import { denseSlots } from './grid.ts';

/**
 * Slots that start in [from_ms, to_ms) on a grid without gaps, by meter point; those that have no series of this
 * quantity are left out. `quantity` is one that slots are stored under.
 */
export async function slotsOfMany(
  { slots }: { slots: Pick<DataSource['slots'], 'totalsColumns'> },
  tenant: string,
  meters: readonly string[],
  quantity: string,
  { from_ms, to_ms }: { from_ms: number; to_ms: number },
): Promise<Map<string, Columns>> {
  const { at_ms } = denseSlots(null, from_ms, to_ms);
  const count = at_ms.length;
  if (meters.length === 0 || count === 0) return new Map();
  const bounds_ms = [...at_ms, at_ms[count - 1]! + SLOT_MS];
  // Of one slot the mean is its value, and the store adds no spans to means.
  const totals = await slots.totalsColumns(tenant, { meters, quantity, bounds_ms, aggregate: 'mean' });
  return new Map(
    totals.meters.map((meter, row) => [
      meter,
      {
        at_ms,
        values: totals.values.slice(row * count, (row + 1) * count),
        quality: Int32Array.from(totals.quality.subarray(row * count, (row + 1) * count)),
      },
    ]),
  );
}
