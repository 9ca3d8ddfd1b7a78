/** What today costs so far, against the same hours of the same weekday in the last weeks. */
import { addDays, dayStart, SLOT_MS, slotStart } from '../../../engine/model/time.ts';
import type { DayCost } from '../../../web/pages/now.ts';
import type { Services } from '../../services.ts';

const WEEKS = 4;
/** A past day with more missing slots than this share is no measure. */
const MOSTLY = 0.1;

/** The cost of today; what is usual is asked once a slot. */
export function createDayCost(services: Pick<Services, 'data' | 'bus'>) {
  const usuals = new Map<string, { slot_ms: number; value: Promise<number | null> }>();
  // under another tariff the past has other costs
  services.bus.subscribe((event) => event.type === 'tariff' && usuals.delete(event.tenant));
  return async (tenant: string, now_ms: number, time_zone: string): Promise<DayCost> => {
    const slot_ms = slotStart(now_ms);
    const from_ms = dayStart(now_ms, time_zone);
    let usual = usuals.get(tenant);
    if (usual?.slot_ms !== slot_ms) {
      usual = { slot_ms, value: usualCost(services, tenant, from_ms, slot_ms, time_zone) };
      usual.value.catch(() => usuals.delete(tenant));
      usuals.set(tenant, usual);
    }
    if (slot_ms === from_ms) {
      const { currency } = await services.data.cost(tenant, from_ms - SLOT_MS, from_ms);
      return { currency, amount: 0, import_kWh: 0, missing_slots: 0, usual: null };
    }
    const [cost, usualAmount] = await Promise.all([services.data.cost(tenant, from_ms, slot_ms), usual.value]);
    return { ...cost, usual: usualAmount };
  };
}

/** The mean of the past weeks' same weekday over the same stretch of the day; null when there is none. */
async function usualCost(
  services: Pick<Services, 'data'>,
  tenant: string,
  from_ms: number,
  to_ms: number,
  time_zone: string,
): Promise<number | null> {
  const slots = (to_ms - from_ms) / SLOT_MS;
  const days = Array.from({ length: WEEKS }, (_, i) => addDays(from_ms, -7 * (i + 1), time_zone));
  const costs = await Promise.all(days.map((day) => services.data.cost(tenant, day, day + (to_ms - from_ms))));
  const amounts = costs.flatMap((cost) =>
    cost.amount !== null && cost.missing_slots <= MOSTLY * slots ? cost.amount : [],
  );
  return amounts.length === 0 ? null : amounts.reduce((sum, amount) => sum + amount, 0) / amounts.length;
}
