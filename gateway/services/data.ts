/** Questions to the data: one meter point, many meter points, the building's balance, what energy cost. */

import type { TotalsColumns } from '../../connectors/series/store.ts';
import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import { QUANTITIES, quantityInfo, slotQuantity } from '../../engine/model/quantity.ts';
import type { MeterPoint } from '../../engine/model/site.ts';
import { dayBounds, HOUR_MS, instantOf, localTime, SLOT_MS } from '../../engine/model/time.ts';
import type { Columns, TotalsQuery } from '../../engine/ports.ts';
import type { WorkerSeries } from '../series.ts';
import type { MeterService, PriceService } from '../services.ts';
import { balanceOf } from './data/balance.ts';
import { costOf } from './data/cost.ts';
import { combineTotals, denseSlots } from './data/grid.ts';

export type Resolution = 'raw' | 'slot' | 'hour' | 'day' | 'month';

export type DataQuery = {
  meter: string;
  quantity: string;
  from_ms: number;
  to_ms: number;
  resolution: Resolution;
  tz: string;
};

export interface DataService {
  /** One meter point and quantity. Registers give their increase per slot/hour/day, raw gives the register itself;
   * virtual meter points are computed. Periods without data are NaN. */
  query(tenant: string, query: DataQuery): Promise<{ unit: string; columns: Columns }>;
  /** Totals of many meter points; `meters` null = all. Row order: meter, then period. */
  totals(
    tenant: string,
    query: {
      meters: readonly string[] | null;
      quantity: string;
      from_ms: number;
      to_ms: number;
      resolution: 'hour' | 'day' | 'month';
      tz: string;
    },
  ): Promise<{ bounds_ms: number[]; rows: { meter: string; values: Float64Array; quality: Int32Array }[] }>;
  /** Building-level series in mean W per slot (load = grid import + generation + battery discharge − charge − export;
   * generation; grid; battery), from the meter points' roles. */
  balance(
    tenant: string,
    kind: 'load' | 'generation' | 'grid' | 'battery',
    from_ms: number,
    to_ms: number,
  ): Promise<Columns>;
  /** What energy taken from the grid cost (− what was fed in, valued at 0 until a feed-in tariff is set), VAT included. */
  cost(
    tenant: string,
    from_ms: number,
    to_ms: number,
  ): Promise<{ currency: string; amount: number | null; import_kWh: number | null; missing_slots: number }>;
}

export type DataSource = Pick<WorkerSeries, 'readings'> & {
  slots: Pick<WorkerSeries['slots'], 'read' | 'spans' | 'totalsColumns'>;
};
export type DataDeps = {
  series: DataSource;
  meters: Pick<MeterService, 'list' | 'get'>;
  /** What a kWh costs per slot: PriceService.site. */
  sitePrices: PriceService['site'];
};

/** Most values of one answer; more would stall the box and the browser alike. */
export const MAX_POINTS = 400_000;
const MAX_DEPTH = 8;

export function createDataService(deps: DataDeps): DataService {
  return {
    query: (tenant, query) => query_(deps, tenant, query),
    async totals(tenant, query) {
      const bounds_ms = periodBounds(query.from_ms, query.to_ms, query.resolution, query.tz);
      const points = query.meters
        ? query.meters.map((id) => meterPoint(deps, tenant, id))
        : [...deps.meters.list(tenant)];
      checkSize(bounds_ms.length * Math.max(1, points.length), query.resolution);
      checkQuantity(query.quantity);
      const totals = await totalsOf(deps, tenant, points, query.meters === null, query.quantity, bounds_ms);
      const periods = bounds_ms.length - 1;
      const rows = totals.meters.map((meter, row) => ({
        meter,
        values: totals.values.subarray(row * periods, (row + 1) * periods),
        quality: totals.quality.subarray(row * periods, (row + 1) * periods),
      }));
      return { bounds_ms, rows };
    },
    balance: (tenant, kind, from_ms, to_ms) => balanceOf(deps, tenant, kind, from_ms, to_ms),
    cost: (tenant, from_ms, to_ms) => costOf(deps, tenant, from_ms, to_ms),
  };
}

async function query_(deps: DataDeps, tenant: string, query: DataQuery): Promise<{ unit: string; columns: Columns }> {
  const { quantity, from_ms, to_ms, resolution, tz } = query;
  const { unit } = checkQuantity(quantity);
  if (!(from_ms < to_ms)) throw new InvalidDataError('`from` is not before `to`.', 'Swap them.');
  const point = meterPoint(deps, tenant, query.meter);
  if (resolution === 'raw') return { unit, columns: await raw(deps, tenant, point, query) };
  if (resolution === 'slot') {
    checkSize((to_ms - from_ms) / SLOT_MS, resolution);
    return { unit, columns: await slotColumns(deps, tenant, point, slotQuantity(quantity), from_ms, to_ms) };
  }
  const bounds_ms = periodBounds(from_ms, to_ms, resolution, tz);
  checkSize(bounds_ms.length, resolution);
  const totals = await totalsOf(deps, tenant, [point], false, quantity, bounds_ms);
  return {
    unit,
    columns: { at_ms: Float64Array.from(bounds_ms.slice(0, -1)), values: totals.values, quality: totals.quality },
  };
}

async function raw(deps: DataDeps, tenant: string, point: MeterPoint, query: DataQuery): Promise<Columns> {
  if (point.virtual)
    throw new InvalidDataError(
      `${point.id} is a virtual meter point: it has no raw readings.`,
      'Ask with resolution=slot, hour, day or month.',
    );
  const { meter, quantity, from_ms, to_ms } = query;
  const options = { limit: MAX_POINTS + 1 };
  const { at_ms, values, quality } = await deps.series.readings.read(
    tenant,
    { meter, quantity, from_ms, to_ms },
    options,
  );
  checkSize(at_ms.length, 'raw');
  return { at_ms, values, quality };
}

/** Slots of a meter point on a grid without gaps; virtual ones from their parts, NaN where a part is missing. */
export async function slotColumns(
  deps: Pick<DataDeps, 'series' | 'meters'>,
  tenant: string,
  point: MeterPoint,
  quantity: string,
  from_ms: number,
  to_ms: number,
  depth = 0,
): Promise<Columns> {
  if (!point.virtual) {
    const range = { meter: point.id, quantity, from_ms, to_ms };
    return denseSlots(await deps.series.slots.read(tenant, range), from_ms, to_ms);
  }
  checkDepth(point, depth);
  const sum = denseSlots(null, from_ms, to_ms);
  sum.values.fill(0);
  for (const { meter, factor } of point.virtual) {
    const part = meterPoint(deps, tenant, meter);
    const columns = await slotColumns(deps, tenant, part, quantity, from_ms, to_ms, depth + 1);
    for (let index = 0; index < sum.values.length; index++) {
      sum.values[index]! += factor * columns.values[index]!;
      sum.quality[index]! |= columns.quality[index]!;
    }
  }
  return sum;
}

async function totalsOf(
  deps: DataDeps,
  tenant: string,
  points: readonly MeterPoint[],
  all: boolean,
  quantity: string,
  bounds_ms: readonly number[],
): Promise<TotalsColumns> {
  const virtual = points.filter((point) => point.virtual);
  const parts = new Map<string, ReadonlyMap<string, number>>();
  for (const point of virtual) parts.set(point.id, leaves(deps, tenant, point));
  const needed = new Set(points.filter((point) => !point.virtual).map((point) => point.id));
  for (const leaf of parts.values()) for (const meter of leaf.keys()) needed.add(meter);
  const query: TotalsQuery = {
    meters: all ? null : [...needed],
    quantity: slotQuantity(quantity),
    bounds_ms,
    aggregate: checkQuantity(quantity).kind === 'gauge' ? 'mean' : 'sum',
  };
  const stored = await deps.series.slots.totalsColumns(tenant, query);
  if (!all && virtual.length === 0 && stored.meters.length === points.length && points.length <= 1) return stored;
  return combineTotals(stored, points, parts, bounds_ms.length - 1, all);
}

/** The measured meter points that a virtual one is made of, with their factors. */
function leaves(deps: DataDeps, tenant: string, point: MeterPoint, depth = 0): Map<string, number> {
  checkDepth(point, depth);
  const found = new Map<string, number>();
  for (const { meter, factor } of point.virtual ?? []) {
    const part = meterPoint(deps, tenant, meter);
    const below = part.virtual ? leaves(deps, tenant, part, depth + 1) : new Map([[part.id, 1]]);
    for (const [id, share] of below) found.set(id, (found.get(id) ?? 0) + factor * share);
  }
  return found;
}

function checkDepth(point: MeterPoint, depth: number): void {
  if (depth >= MAX_DEPTH)
    throw new InvalidDataError(
      `The formula of the virtual meter point ${point.id} refers to itself or is nested too deeply.`,
      'Change its formula.',
    );
}

function meterPoint(deps: Pick<DataDeps, 'meters'>, tenant: string, id: string): MeterPoint {
  const point = deps.meters.get(tenant, id);
  if (!point) throw new NotFoundError(`There is no meter point "${id}".`, 'GET /api/v1/meters lists them.');
  return point;
}

function checkQuantity(name: string) {
  const info = quantityInfo(name);
  if (!info)
    throw new InvalidDataError(`"${name}" is no known quantity.`, `Known are: ${Object.keys(QUANTITIES).join(', ')}.`);
  return info;
}

function checkSize(points: number, resolution: Resolution): void {
  if (points > MAX_POINTS)
    throw new InvalidDataError(
      `The answer would have more than ${MAX_POINTS.toLocaleString('en')} values.`,
      resolution === 'raw' || resolution === 'slot'
        ? 'Ask for a shorter time, or with resolution=slot, hour or day.'
        : 'Ask for a shorter time, fewer meters or longer periods.',
    );
}

/** Bounds of whole local periods that cover [from_ms, to_ms). Throws InvalidDataError for an unknown time zone. */
export function periodBounds(
  from_ms: number,
  to_ms: number,
  resolution: 'hour' | 'day' | 'month',
  tz: string,
): number[] {
  if (!(from_ms < to_ms)) throw new InvalidDataError('`from` is not before `to`.', 'Swap them.');
  if (to_ms - from_ms > MAX_POINTS * HOUR_MS) checkSize(Infinity, resolution);
  try {
    if (resolution === 'day') return dayBounds(from_ms, to_ms, tz);
    return resolution === 'month' ? monthBounds(from_ms, to_ms, tz) : hourBounds(from_ms, to_ms, tz);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InvalidDataError(`"${tz}" is no time zone.`, 'Give an IANA name such as Europe/Berlin.');
  }
}

function monthBounds(from_ms: number, to_ms: number, tz: string): number[] {
  const { year, month } = localTime(from_ms, tz);
  const bounds: number[] = [];
  for (let index = 0; bounds.length < 2 || bounds.at(-1)! < to_ms; index++) {
    const ahead = month - 1 + index;
    bounds.push(instantOf(tz, year + Math.floor(ahead / 12), (ahead % 12) + 1, 1));
  }
  return bounds;
}

/** Hours of the wall clock: zones that are off by a half or quarter of an hour have theirs. */
function hourBounds(from_ms: number, to_ms: number, tz: string): number[] {
  const { minute, second } = localTime(from_ms, tz);
  const start = from_ms - (((from_ms % 1000) + 1000) % 1000) - (minute * 60 + second) * 1000;
  const bounds = [start];
  while (bounds.at(-1)! < to_ms) bounds.push(bounds.at(-1)! + HOUR_MS);
  return bounds;
}
