/** What a site took from the grid and gave to it in each slot, for its bill. */
import type { MeterPoint } from '../../../engine/model/site.ts';
import { SLOT_MS, slotStart } from '../../../engine/model/time.ts';
import type { Columns, Span } from '../../../engine/ports.ts';
import type { SiteEnergy } from '../../../engine/tariff/bill.ts';
import type { MeterService } from '../../services.ts';
import { topLevel } from '../data/balance.ts';
import { denseSlots } from '../data/grid.ts';
import { type DataSource, slotColumns } from '../data.ts';

export type SiteEnergyDeps = { series: DataSource; meters: Pick<MeterService, 'list' | 'get'> };

/** A gap may end after the time that is asked for. */
const LONGEST_GAP_MS = 62 * 86_400_000;

/**
 * The sum of the grid meters, slot by slot; NaN where one of them is missing. Over a long gap whose energy is known as
 * a sum only, each slot has an even share, and is marked. Export is null where no grid meter knows it.
 */
export async function readEnergy(
  deps: SiteEnergyDeps,
  tenant: string,
  from_ms: number,
  to_ms: number,
  meters: readonly string[],
): Promise<SiteEnergy> {
  const end_ms = Math.max(from_ms, slotStart(to_ms));
  const grid = topLevel(deps.meters.list(tenant)).filter(({ role }) => role === 'grid');
  const read = (point: MeterPoint, quantity: string) => filledSlots(deps, tenant, point, quantity, from_ms, end_ms);
  const taken = await Promise.all(grid.map((point) => read(point, 'import_kWh')));
  const given = await Promise.all(grid.map((point) => read(point, 'export_kWh')));
  const known = given.filter(({ columns }) => columns.values.some((value) => !Number.isNaN(value)));
  const apart = await Promise.all(
    [...new Set(meters)].map(async (id) => {
      const point = deps.meters.get(tenant, id);
      return [id, point ? (await read(point, 'import_kWh')).columns.values : unknown(from_ms, end_ms)] as const;
    }),
  );
  const { at_ms } = denseSlots(null, from_ms, end_ms);
  return {
    at_ms,
    import_kWh: taken.length > 0 ? sum(taken, at_ms.length) : unknown(from_ms, end_ms),
    export_kWh: known.length > 0 ? sum(known, at_ms.length) : null,
    spread:
      at_ms.length === 0
        ? new Uint8Array()
        : Uint8Array.from(at_ms, (_, i) => Math.max(0, ...taken.map(({ spread }) => spread[i]!))),
    meters: Object.fromEntries(apart),
  };
}

function unknown(from_ms: number, to_ms: number): Float64Array {
  return denseSlots(null, from_ms, to_ms).values;
}

function sum(parts: readonly Filled[], count: number): Float64Array {
  const total = new Float64Array(count);
  for (const { columns } of parts) for (let i = 0; i < count; i++) total[i]! += columns.values[i]!;
  return total;
}

type Filled = { columns: Columns; spread: Uint8Array };

async function filledSlots(
  deps: SiteEnergyDeps,
  tenant: string,
  point: MeterPoint,
  quantity: string,
  from_ms: number,
  to_ms: number,
): Promise<Filled> {
  const columns = await slotColumns(deps, tenant, point, quantity, from_ms, to_ms);
  const spread = new Uint8Array(columns.values.length);
  if (point.virtual || columns.values.length === 0) return { columns, spread };
  const range = { meter: point.id, quantity, from_ms, to_ms: to_ms + LONGEST_GAP_MS };
  const values = columns.values.slice();
  for (const span of await deps.series.slots.spans(tenant, range)) share(span, columns, values, spread);
  return { columns: { ...columns, values }, spread };
}

/** Gives each slot of the gap that has no value of its own an even share. */
function share(span: Span, { at_ms, values: measured }: Columns, values: Float64Array, spread: Uint8Array): void {
  const first = Math.floor((span.from_ms - at_ms[0]!) / SLOT_MS);
  const end = Math.ceil((span.to_ms - at_ms[0]!) / SLOT_MS);
  const inside = { first: Math.max(0, first), end: Math.min(values.length, end) };
  if (inside.first >= inside.end) return;
  let open = end - first;
  for (let i = inside.first; i < inside.end; i++) if (!Number.isNaN(measured[i]!)) open--;
  for (let i = inside.first; i < inside.end; i++) {
    if (open > 0 && !Number.isNaN(measured[i]!)) continue;
    const part = span.value / (open > 0 ? open : end - first);
    values[i] = Number.isNaN(values[i]!) ? part : values[i]! + part;
    spread[i] = 1;
  }
}
