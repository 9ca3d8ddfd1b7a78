/** When meters were last heard, from the store: for those that have not spoken since the process started. */
import { slotQuantity } from '../../engine/model/quantity.ts';
import { HOUR_MS, SLOT_MS } from '../../engine/model/time.ts';
import { usualInterval } from '../../engine/quality/report.ts';
import type { QualityDeps } from './quality.ts';

export type LastHeard = { last_ms: number | null; usual_ms: number | null };

const LOOK_BACK_H = 7 * 24;
const SPACINGS = 12;
const NEVER: LastHeard = { last_ms: null, usual_ms: null };

/**
 * The newest stored reading of any quantity of each meter and the usual spacing around it. One question a quantity tells
 * the newest hour of all meters, one more a meter its readings around then; only what has no slots in a week is looked
 * for by itself, and its spacing is not known. `last_ms` is null where nothing of a meter was ever stored; a meter whose
 * readings could not be read is left out.
 */
export async function lastHeard(
  deps: Pick<QualityDeps, 'series' | 'clock' | 'log'>,
  tenant: string,
  meters: readonly string[],
): Promise<Map<string, LastHeard>> {
  const now_ms = deps.clock.now();
  const wanted = new Set(meters);
  const known = (await deps.series.list(tenant)).filter(({ meter }) => wanted.has(meter));
  const newest = await newestHours(deps, tenant, known, now_ms);
  const found = new Map<string, LastHeard>();
  for (const meter of meters) {
    const hour = newest.get(meter);
    const quantities = known.filter((one) => one.meter === meter).map(({ quantity }) => quantity);
    try {
      const heard = hour && (await around(deps, tenant, { meter, ...hour }, now_ms));
      found.set(meter, heard ?? (await everHeard(deps, tenant, meter, quantities, now_ms)));
    } catch (error) {
      deps.log.warn(
        { err: error, tenant_id: tenant, meter_id: meter },
        'when the meter was last heard is not known yet',
      );
    }
  }
  return found;
}

type Newest = { quantity: string; from_ms: number };

/** The newest hour with slots of each meter, and of which quantity they are. */
async function newestHours(
  { series }: Pick<QualityDeps, 'series'>,
  tenant: string,
  known: readonly { meter: string; quantity: string }[],
  now_ms: number,
): Promise<Map<string, Newest>> {
  const end_ms = Math.floor(now_ms / HOUR_MS) * HOUR_MS + HOUR_MS;
  const bounds_ms = Array.from({ length: LOOK_BACK_H + 1 }, (_, k) => end_ms - (LOOK_BACK_H - k) * HOUR_MS);
  const newest = new Map<string, Newest>();
  for (const quantity of new Set(known.map((one) => one.quantity))) {
    const meters = known.filter((one) => one.quantity === quantity).map(({ meter }) => meter);
    const query = { meters, quantity: slotQuantity(quantity), bounds_ms, aggregate: 'mean' as const };
    for (const { meter, period } of await series.slots.totals(tenant, query)) {
      const from_ms = bounds_ms[period]!;
      if (from_ms > (newest.get(meter)?.from_ms ?? Number.NEGATIVE_INFINITY)) newest.set(meter, { quantity, from_ms });
    }
  }
  return newest;
}

async function around(
  { series }: Pick<QualityDeps, 'series'>,
  tenant: string,
  { meter, quantity, from_ms }: Newest & { meter: string },
  now_ms: number,
): Promise<LastHeard | null> {
  const range = { meter, quantity, from_ms: from_ms - HOUR_MS, to_ms: from_ms + HOUR_MS + SLOT_MS };
  const { at_ms } = await series.readings.read(tenant, range, { edges: true });
  const last = at_ms.findLastIndex((at) => at <= now_ms);
  if (last < 0) return null;
  return { last_ms: at_ms[last]!, usual_ms: usualInterval(at_ms.slice(Math.max(0, last + 1 - SPACINGS), last + 1)) };
}

async function everHeard(
  { series }: Pick<QualityDeps, 'series'>,
  tenant: string,
  meter: string,
  quantities: readonly string[],
  now_ms: number,
): Promise<LastHeard> {
  let heard = NEVER;
  for (const quantity of quantities) {
    const range = { meter, quantity, from_ms: now_ms, to_ms: now_ms + 1 };
    const { at_ms } = await series.readings.read(tenant, range, { edges: true });
    const last_ms = at_ms.findLast((at) => at <= now_ms);
    if (last_ms !== undefined && last_ms > (heard.last_ms ?? Number.NEGATIVE_INFINITY))
      heard = { last_ms, usual_ms: null };
  }
  return heard;
}
