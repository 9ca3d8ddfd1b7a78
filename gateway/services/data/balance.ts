/** The building's power per slot, from the roles of its meter points; many of them cost few questions to the store. */
import type { MeterPoint, MeterRole } from '../../../engine/model/site.ts';
import { HOUR_MS, SLOT_MS } from '../../../engine/model/time.ts';
import type { Columns, Span } from '../../../engine/ports.ts';
import { type DataDeps, slotColumns } from '../data.ts';
import { denseSlots } from './grid.ts';
import { slotsOfMany } from './slots-of-many.ts';

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
  const range = { from_ms, to_ms };
  const measured = chosen.filter((point) => !point.virtual);
  for (const some of inPieces(measured, Math.max(1, Math.floor(MOST_VALUES / Math.max(1, sum.values.length)))))
    for (const part of await powerOfMany(deps, tenant, some, range)) add(sum, part);
  for (const point of chosen.filter((one) => one.virtual)) add(sum, await powerOfVirtual(deps, tenant, point, range));
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

type Range = { from_ms: number; to_ms: number };
/** Values of one answer, so that years of many meters do not come at once. */
const MOST_VALUES = 200_000;

function inPieces<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, piece) =>
    list.slice(piece * size, (piece + 1) * size),
  );
}

/** Power in the sense of each meter point's role: from its power, where that is missing from its energy. */
async function powerOfMany(
  deps: BalanceDeps,
  tenant: string,
  points: readonly MeterPoint[],
  range: Range,
): Promise<Columns[]> {
  const power = await slotsOfMany(deps.series, tenant, points.map(idOf), 'power_W', range);
  const lacking = points.filter((point) => !isWhole(power.get(point.id)));
  const [taken, given] = await Promise.all([
    energyOfMany(deps, tenant, lacking, 'import_kWh', range),
    energyOfMany(deps, tenant, lacking, 'export_kWh', range),
  ]);
  const none = () => denseSlots(null, range.from_ms, range.to_ms);
  return points.map(({ id, role }) => {
    const own = power.get(id) ?? none();
    return isWhole(own) ? own : fill(own, role, taken.get(id) ?? none(), given.get(id) ?? none());
  });
}

async function powerOfVirtual(deps: BalanceDeps, tenant: string, point: MeterPoint, range: Range): Promise<Columns> {
  const slots = (quantity: string) => slotColumns(deps, tenant, point, quantity, range.from_ms, range.to_ms);
  const power = await slots('power_W');
  if (isWhole(power)) return power;
  const [taken, given] = await Promise.all([slots('import_kWh'), slots('export_kWh')]);
  return fill(power, point.role, taken, given);
}

const idOf = ({ id }: MeterPoint) => id;
const isWhole = (columns: Columns | undefined) => columns !== undefined && !columns.values.some(Number.isNaN);

/** What the power has no value for, from the energy taken and given. */
function fill(power: Columns, role: MeterRole, taken: Columns, given: Columns): Columns {
  const gives = role === 'generation' || role === 'battery';
  const [main, other] = gives ? [given, taken] : [taken, given];
  const otherKnown = other.values.some((value) => !Number.isNaN(value));
  for (let index = 0; index < power.values.length; index++) {
    if (!Number.isNaN(power.values[index]!)) continue;
    const less = otherKnown ? other.values[index]! : 0;
    power.values[index] = W_PER_KWH * (main.values[index]! - less);
    power.quality[index] = main.quality[index]! | (otherKnown ? other.quality[index]! : 0);
  }
  return power;
}

/** Energy per slot; in a long gap over which the register stood still each slot is exactly 0 (an inverter at night). */
async function energyOfMany(
  deps: BalanceDeps,
  tenant: string,
  points: readonly MeterPoint[],
  quantity: string,
  range: Range,
): Promise<ReadonlyMap<string, Columns>> {
  const found = await slotsOfMany(deps.series, tenant, points.map(idOf), quantity, range);
  const gaps = [...found].filter(([, columns]) => !isWhole(columns));
  await Promise.all(
    gaps.map(async ([meter, columns]) => {
      for (const span of await deps.series.slots.spans(tenant, { meter, quantity, ...range }))
        if (span.value === 0) standStill(columns, span);
    }),
  );
  return found;
}

function standStill(columns: Columns, span: Span): void {
  const first = columns.at_ms[0]!;
  const end = Math.min(columns.values.length, Math.ceil((span.to_ms - first) / SLOT_MS));
  for (let index = Math.max(0, Math.floor((span.from_ms - first) / SLOT_MS)); index < end; index++)
    if (Number.isNaN(columns.values[index]!)) {
      columns.values[index] = 0;
      columns.quality[index]! |= span.quality;
    }
}

function add(sum: Columns, part: Columns): void {
  for (let index = 0; index < sum.values.length; index++) {
    sum.values[index]! += part.values[index]!;
    sum.quality[index]! |= part.quality[index]!;
  }
}
