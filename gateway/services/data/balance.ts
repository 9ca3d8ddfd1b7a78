/** The building's power per slot, from the roles of its meter points. */
import { registerOf } from '../../../engine/model/quantity.ts';
import type { MeterPoint, MeterRole } from '../../../engine/model/site.ts';
import { HOUR_MS, SLOT_MS } from '../../../engine/model/time.ts';
import type { Columns } from '../../../engine/ports.ts';
import { type DataDeps, slotColumns } from '../data.ts';
import { denseSlots } from './grid.ts';

export type BalanceDeps = Pick<DataDeps, 'series' | 'meters'>;
export type BalanceKind = 'load' | 'generation' | 'grid' | 'battery';

/** kWh per slot → mean W. */
const W_PER_KWH = (1000 * HOUR_MS) / SLOT_MS;

/**
 * Mean W per slot on a grid without gaps. load = grid (+ import) + generation + battery (+ discharge); without a grid
 * meter it is the sum of the load meters. A slot that a meter point of the sum is missing from is NaN.
 */
export async function balanceOf(
  deps: BalanceDeps,
  tenant: string,
  kind: BalanceKind,
  from_ms: number,
  to_ms: number,
): Promise<Columns> {
  const points = deps.meters.list(tenant);
  const roles = rolesOf(points, kind);
  const chosen = topLevel(points).filter((point) => roles.includes(point.role));
  const sum = denseSlots(null, from_ms, to_ms);
  if (chosen.length === 0) return sum;
  sum.values.fill(0);
  for (const point of chosen) add(sum, await powerOf(deps, tenant, point, from_ms, to_ms));
  return sum;
}

function rolesOf(points: readonly MeterPoint[], kind: BalanceKind): readonly MeterRole[] {
  if (kind !== 'load') return [kind];
  return points.some((point) => point.role === 'grid') ? ['grid', 'generation', 'battery'] : ['load'];
}

/** Meter points that are no part of another of the same role, so that nothing counts twice. */
export function topLevel(points: readonly MeterPoint[]): MeterPoint[] {
  const byId = new Map(points.map((point) => [point.id, point]));
  const inFormula = new Set<string>();
  for (const point of points)
    for (const part of point.virtual ?? []) if (byId.get(part.meter)?.role === point.role) inFormula.add(part.meter);
  return points.filter((point) => {
    if (inFormula.has(point.id)) return false;
    const parent = point.parent === null ? undefined : byId.get(point.parent);
    return parent?.role !== point.role;
  });
}

/** Power in the sense of the meter point's role: from its power, where that is missing from its energy. */
async function powerOf(
  deps: BalanceDeps,
  tenant: string,
  point: MeterPoint,
  from_ms: number,
  to_ms: number,
): Promise<Columns> {
  const slots = (quantity: string) => slotColumns(deps, tenant, point, quantity, from_ms, to_ms);
  const power = await slots('power_W');
  if (!power.values.some(Number.isNaN)) return power;
  const [taken, given] = [
    await energy(deps, tenant, point, 'import_kWh', from_ms, to_ms),
    await energy(deps, tenant, point, 'export_kWh', from_ms, to_ms),
  ];
  const known = (columns: Columns) => columns.values.some((value) => !Number.isNaN(value));
  const gives = point.role === 'generation' || point.role === 'battery';
  const [main, other] = gives ? [given, taken] : [taken, given];
  const otherKnown = known(other);
  for (let index = 0; index < power.values.length; index++) {
    if (!Number.isNaN(power.values[index]!)) continue;
    const less = otherKnown ? other.values[index]! : 0;
    power.values[index] = W_PER_KWH * (main.values[index]! - less);
    power.quality[index] = main.quality[index]! | (otherKnown ? other.quality[index]! : 0);
  }
  return power;
}

/** Energy per slot; in a long gap over which the register stood still each slot is exactly 0 (an inverter at night). */
async function energy(
  deps: BalanceDeps,
  tenant: string,
  point: MeterPoint,
  quantity: string,
  from_ms: number,
  to_ms: number,
): Promise<Columns> {
  const columns = await slotColumns(deps, tenant, point, registerOf(quantity), from_ms, to_ms);
  if (point.virtual || columns.at_ms.length === 0) return columns;
  const spans = await deps.series.slots.spans(tenant, { meter: point.id, quantity, from_ms, to_ms });
  const first = columns.at_ms[0]!;
  for (const span of spans) {
    if (span.value !== 0) continue;
    const end = Math.min(columns.values.length, Math.ceil((span.to_ms - first) / SLOT_MS));
    for (let index = Math.max(0, Math.floor((span.from_ms - first) / SLOT_MS)); index < end; index++)
      if (Number.isNaN(columns.values[index]!)) {
        columns.values[index] = 0;
        columns.quality[index]! |= span.quality;
      }
  }
  return columns;
}

function add(sum: Columns, part: Columns): void {
  for (let index = 0; index < sum.values.length; index++) {
    sum.values[index]! += part.values[index]!;
    sum.quality[index]! |= part.quality[index]!;
  }
}
