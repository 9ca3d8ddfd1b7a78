/** One meter point: gathers its hours, lets a worker look, keeps what was found, and its alert. */
import type { Lesson } from '../../../engine/anomaly/detect.ts';
import type { MeterPoint } from '../../../engine/model/site.ts';
import { HOUR_MS, zoneOffset } from '../../../engine/model/time.ts';
import { hoursOf } from '../../../engine/quality/faults.ts';
import type { AnomalyTask, FoundAnomaly } from '../../workers/anomalies.ts';
import type { AnomalyDeps } from '../anomalies.ts';
import { type AnomalyRecord, endAnomaly, insertAnomaly, listAnomalies, updateAnomaly } from './rows.ts';

/** Energy tells best; power only where there is none. */
const TAKEN = ['import_kWh', 'gas_m3', 'heat_kWh', 'water_m3', 'power_W'];
const GIVEN = ['export_kWh', 'power_W'];
/** What one unit of a quantity is in an hour. */
const KWH: Readonly<Record<string, number>> = { import_kWh: 1, export_kWh: 1, heat_kWh: 1, power_W: 0.001 };
const DAY_MS = 24 * HOUR_MS;
/** The box looks this far back: half of it to learn what is usual, half to compare with. */
const LOOK_MS = 120 * DAY_MS;
/** What opened before is no news, unless the meter point is looked at for the first time. */
const [NEWS_MS, FIRST_MS] = [2 * DAY_MS, 30 * DAY_MS];
/** From here on it is worth a warning rather than a note. */
const WARNING_SCORE = 3;
const KEPT = 200;

export async function lookAt(deps: AnomalyDeps, tenant: string, point: MeterPoint, quantities: readonly string[]) {
  const names = point.role === 'generation' || point.role === 'battery' ? GIVEN : TAKEN;
  const quantity = names.find((name) => quantities.includes(name));
  if (quantity === undefined || point.role === 'battery') return;
  const known = await deps.db.asTenant(tenant, (sql) => listAnomalies(sql, { meter: point.id, limit: KEPT }));
  const gathered = await gather(deps, tenant, point, quantity, known);
  if (!gathered) return;
  const found = await deps.workers.run<FoundAnomaly[]>('anomalies', gathered.task);
  const made = found.map((one) => recordOf(one, point.id, quantity, gathered));
  await keep(deps, tenant, known, made);
  await tell(deps, tenant, point.id);
}

type Gathered = { task: AnomalyTask; at_ms: number[]; currency: string | null };

async function gather(
  deps: AnomalyDeps,
  tenant: string,
  { id: meter }: MeterPoint,
  quantity: string,
  known: readonly AnomalyRecord[],
): Promise<Gathered | null> {
  const to_ms = Math.floor(deps.clock.now() / HOUR_MS) * HOUR_MS;
  const from_ms = to_ms - LOOK_MS;
  const slots = await deps.series.slots.read(tenant, { meter, quantity, from_ms, to_ms });
  const last = slots.values.findLastIndex((value) => !Number.isNaN(value));
  const first = slots.values.findIndex((value) => !Number.isNaN(value));
  if (last < 0) return null;
  // From the first to the last hour that is whole: silence is told of elsewhere.
  const start_ms = Math.ceil(slots.at_ms[first]! / HOUR_MS) * HOUR_MS;
  const { values } = hoursOf(slots, start_ms, Math.floor((slots.at_ms[last]! + HOUR_MS / 4) / HOUR_MS) * HOUR_MS);
  const zone = deps.site.get(tenant)?.time_zone ?? 'UTC';
  const local = (at_ms: number) => Math.floor((at_ms + zoneOffset(at_ms, zone)) / HOUR_MS);
  const all = Array.from(values, (value, k) => ({ value, at_ms: start_ms + k * HOUR_MS }));
  // The hour that comes twice in autumn counts once.
  const once = all.filter(({ at_ms }, k) => k === 0 || local(at_ms) > local(all[k - 1]!.at_ms));
  const mean = quantity === 'power_W' ? 4 : 1;
  const prices = quantity === 'import_kWh' ? await pricesOf(deps, tenant, start_ms, to_ms) : null;
  return {
    at_ms: once.map(({ at_ms }) => at_ms),
    currency: prices?.currency ?? null,
    task: {
      hours: Float64Array.from(once, ({ at_ms }) => local(at_ms)),
      values: Float64Array.from(once, ({ value }) => value / mean),
      prices: prices ? Float64Array.from(once, ({ at_ms }) => prices.of(at_ms)) : null,
      kWh: KWH[quantity] ?? null,
      lessons: lessonsOf(known, local),
    },
  };
}

/** Mean price of each hour; null where the site has none. */
async function pricesOf({ sitePrices, log }: AnomalyDeps, tenant: string, from_ms: number, to_ms: number) {
  const found = await sitePrices(tenant, from_ms, to_ms).catch((error: unknown) => {
    log.debug({ err: error, tenant_id: tenant }, 'no prices for what is unusual');
    return null;
  });
  if (!found) return null;
  const byHour = new Map<number, { sum: number; count: number }>();
  for (const [k, at] of found.columns.at_ms.entries()) {
    const hour = Math.floor(at / HOUR_MS) * HOUR_MS;
    const one = byHour.get(hour) ?? { sum: 0, count: 0 };
    byHour.set(hour, { sum: one.sum + found.columns.values[k]!, count: one.count + 1 });
  }
  const of = (at_ms: number) => {
    const one = byHour.get(at_ms);
    return one ? one.sum / one.count : NaN;
  };
  return { currency: found.currency, of };
}

function lessonsOf(known: readonly AnomalyRecord[], local: (at_ms: number) => number): Lesson[] {
  return known.flatMap(({ kind, verdict, since_ms, opened_ms, ended_ms }) =>
    verdict ? [{ kind, verdict, from: local(since_ms), to: local(ended_ms ?? opened_ms) }] : [],
  );
}

function recordOf(
  found: FoundAnomaly,
  meter: string,
  quantity: string,
  { at_ms, currency }: Gathered,
): Omit<AnomalyRecord, 'id'> {
  const { kind, since, opened, until, score, energy_kWh, amount, causes } = found;
  return {
    ...{ meter, quantity, kind, score, energy_kWh, amount, causes },
    currency: amount === null ? null : currency,
    since_ms: at_ms[since]!,
    opened_ms: at_ms[opened]! + HOUR_MS,
    ended_ms: until === null ? null : at_ms[until]! + HOUR_MS,
    ...{ verdict: null, verdict_by: null },
  };
}

async function keep(
  { db, clock }: AnomalyDeps,
  tenant: string,
  known: readonly AnomalyRecord[],
  made: readonly Omit<AnomalyRecord, 'id'>[],
): Promise<void> {
  const now_ms = clock.now();
  const since_ms = now_ms - (known.length === 0 ? FIRST_MS : NEWS_MS);
  await db.asTenant(tenant, async (sql) => {
    const seen = new Set<string>();
    for (const one of made) {
      const same = known.find(
        (other) => one.since_ms <= (other.ended_ms ?? now_ms) && other.since_ms <= (one.ended_ms ?? now_ms),
      );
      if (same) {
        seen.add(same.id);
        // What a person called expected is over, and what is over for good is not told anew.
        if (same.verdict !== 'expected' && (same.ended_ms === null || one.ended_ms === null || one.ended_ms > since_ms))
          await updateAnomaly(sql, same.id, one);
      } else if (one.opened_ms >= since_ms) await insertAnomaly(sql, tenant, one);
    }
    for (const one of known) if (one.ended_ms === null && !seen.has(one.id)) await endAnomaly(sql, one.id, now_ms);
  });
}

/** One alert per meter point, about the newest that lasts. */
export async function tell({ db, alerts }: AnomalyDeps, tenant: string, meter: string): Promise<void> {
  const [open] = await db.asTenant(tenant, (sql) => listAnomalies(sql, { meter, open_only: true, limit: 1 }));
  if (!open) return alerts.clear(tenant, 'anomaly', meter);
  const { id: anomaly, quantity, kind, since_ms, energy_kWh, amount, currency, causes, score } = open;
  const severity = score >= WARNING_SCORE ? 'warning' : 'info';
  await alerts.raise(tenant, 'anomaly', meter, severity, {
    ...{ anomaly, quantity, kind, since_ms, energy_kWh, amount, currency },
    cause: causes[0]?.cause ?? null,
  });
}
