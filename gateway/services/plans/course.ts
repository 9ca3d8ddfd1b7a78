/** What the building draws now, and how a device usually runs. */
import type { PlanDevice } from '../../../engine/dispatch/plan-devices.ts';
import { localTime, SLOT_MS } from '../../../engine/model/time.ts';
import type { DataService, LiveValues, MeterService } from '../../services.ts';
import { topLevel } from '../data/balance.ts';

type CourseDeps = {
  data: Pick<DataService, 'query'>;
  meters: Pick<MeterService, 'list' | 'get'>;
  live: Pick<LiveValues, 'of'>;
};

const WEEKS = 4;
const WEEK_MS = 7 * 24 * 3_600_000;
/** Older values say nothing of now. */
const FRESH_MS = 2 * 60_000;

/** Mean W by slot ahead: the mean of the same quarter of the same weekday in the last four weeks; 0 where none is known. */
export async function typicalCourse(
  { data, meters }: CourseDeps,
  tenant: string,
  meter: string,
  time_zone: string,
  from_ms: number,
  slots: number,
): Promise<Float64Array> {
  const usual = new Float64Array(slots);
  if (!meters.get(tenant, meter)) return usual;
  const range = { from_ms: from_ms - WEEKS * WEEK_MS, to_ms: from_ms };
  const { columns } = await data.query(tenant, {
    ...{ meter, quantity: 'import_kWh', resolution: 'slot', tz: time_zone, ...range },
  });
  const sums = new Map<string, { total: number; count: number }>();
  columns.at_ms.forEach((at_ms, i) => {
    const kWh = columns.values[i]!;
    if (Number.isNaN(kWh)) return;
    const entry = sums.get(placeInWeek(at_ms, time_zone)) ?? { total: 0, count: 0 };
    sums.set(placeInWeek(at_ms, time_zone), { total: entry.total + kWh * 4000, count: entry.count + 1 });
  });
  for (let t = 0; t < slots; t++) {
    const entry = sums.get(placeInWeek(from_ms + t * SLOT_MS, time_zone));
    usual[t] = entry ? entry.total / entry.count : 0;
  }
  return usual;
}

function placeInWeek(at_ms: number, time_zone: string): string {
  const { year, month, day, hour, minute } = localTime(at_ms, time_zone);
  return `${new Date(Date.UTC(year, month - 1, day)).getUTCDay()} ${hour} ${minute}`;
}

/**
 * Consumption less generation in W, without batteries and without the devices that the plan moves and a meter measures
 * (their usual course is taken out of the forecast too); null where a meter of it has not been heard of just now.
 */
export function liveLoad(
  { meters, live }: { meters: Pick<MeterService, 'list'>; live: Pick<LiveValues, 'of'> },
  tenant: string,
  now_ms: number,
  devices: readonly PlanDevice[],
): number | null {
  const points = topLevel(meters.list(tenant)).filter(({ role }) => role === 'grid' || role === 'battery');
  if (!points.some(({ role }) => role === 'grid')) return null;
  const moved = devices.flatMap((device) => (device.kind === 'battery' || device.meter === null ? [] : [device.meter]));
  const terms = [
    ...points.map(({ id, virtual }) => ({ id: virtual ? null : id, sign: 1 })),
    ...moved.map((id) => ({ id, sign: -1 })),
  ];
  let sum = 0;
  for (const { id, sign } of terms) {
    const value = id === null ? undefined : live.of(tenant, id).get('power_W');
    if (!value || now_ms - value.at_ms > FRESH_MS) return null;
    sum += sign * value.value;
  }
  return sum;
}
