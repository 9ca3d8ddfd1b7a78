/** Watches meters: raises and clears the alerts for silence, standing still, resets. */
import { Quality } from '../../engine/model/quality.ts';
import { HOUR_MS, SLOT_MS } from '../../engine/model/time.ts';
import type { QualityEvent } from '../../engine/quality/accumulator.ts';
import { silenceLimit, usualInterval } from '../../engine/quality/report.ts';
import type { SlotsChanged } from '../series.ts';
import type { Alert, AlertKind } from '../services.ts';
import type { QualityDeps } from './quality.ts';

const DAY_MS = 24 * HOUR_MS;
/** An event is believed once the readings after it are in: a dip at the newest reading looks like a reset. */
const SETTLED_MS = 10 * 60_000;
const LOOK_BACK_MS = 7 * DAY_MS;
const SPACINGS = 12;
const REMEMBERED = 10_000;

/** What the computing of slots found, and the alert that tells of it. */
const ALERTS: Readonly<Partial<Record<QualityEvent['kind'], AlertKind>>> = {
  stuck: 'meter_stuck',
  reset: 'register_reset',
  jump: 'register_jump',
  unit: 'unit_changed',
  mixed: 'meters_mixed',
};
/** Alerts of a moment: over a day later. */
const MOMENTS: ReadonlySet<AlertKind> = new Set(['register_reset', 'register_jump', 'meters_mixed']);

type Seen = { last_ms: number | null; arrivals: number[]; usual_ms: number | null };

export function createQualityWatch(deps: QualityDeps) {
  const { clock, alerts, live, meters, site, log } = deps;
  const seen = new Map<string, Seen>();
  const told = new Set<string>();

  /** Notes arrivals, for the usual interval of each meter. */
  function arrived(tenant: string, ids: readonly string[]): void {
    for (const id of ids) {
      const one = seen.get(`${tenant} ${id}`);
      const last_ms = live.last_ms(tenant, id);
      if (!one || last_ms === null || (one.last_ms !== null && last_ms <= one.last_ms)) continue;
      one.last_ms = last_ms;
      one.arrivals = [...one.arrivals.slice(1 - SPACINGS), last_ms];
      one.usual_ms = usualInterval(one.arrivals) ?? one.usual_ms;
    }
  }

  async function seenOf(tenant: string, id: string): Promise<Seen> {
    const key = `${tenant} ${id}`;
    let one = seen.get(key);
    if (!one) {
      one = { arrivals: [], ...(await lastStored(deps, tenant, id)) };
      seen.set(key, one);
    }
    const last_ms = live.last_ms(tenant, id);
    if (last_ms !== null && last_ms > (one.last_ms ?? 0)) one.last_ms = last_ms;
    return one;
  }

  async function checkSilence(tenant: string, open: readonly Alert[]): Promise<void> {
    const now = clock.now();
    const silent = new Set(open.filter((alert) => alert.kind === 'meter_silent').map((alert) => alert.object));
    const ids = new Set(meters.list(tenant).map((point) => point.id));
    for (const id of silent) if (!ids.has(id)) await alerts.clear(tenant, 'meter_silent', id);
    for (const point of meters.list(tenant)) {
      if (point.device === null) continue;
      const { last_ms, usual_ms } = await seenOf(tenant, point.id);
      const enabled = deps.enabled?.(tenant, point.device) ?? true;
      const quiet = enabled && last_ms !== null && now - last_ms > silenceLimit(usual_ms);
      if (quiet && !silent.has(point.id))
        await alerts.raise(tenant, 'meter_silent', point.id, 'warning', { since_ms: last_ms, usual_ms });
      if (!quiet && silent.has(point.id)) await alerts.clear(tenant, 'meter_silent', point.id);
    }
  }

  async function checkOver(tenant: string, open: readonly Alert[]): Promise<void> {
    const now = clock.now();
    for (const alert of open) {
      if (MOMENTS.has(alert.kind) && now - alert.opened_ms > DAY_MS)
        await alerts.clear(tenant, alert.kind, alert.object);
      if (alert.kind === 'unit_changed' && (await isMarked(deps, tenant, alert, Quality.UNIT)) === false)
        await alerts.clear(tenant, alert.kind, alert.object);
      if (alert.kind === 'meter_stuck' && (await isMarked(deps, tenant, alert, Quality.STUCK)) === false)
        await alerts.clear(tenant, alert.kind, alert.object);
    }
  }

  return {
    arrived,
    /** Raises what the slots' computation found, once per event. */
    async found(changed: readonly SlotsChanged[]): Promise<void> {
      const now = clock.now();
      for (const { tenant, meter, quantity, events } of changed)
        for (const { kind, at_ms, from, to } of events) {
          const alert = ALERTS[kind];
          const key = `${tenant} ${alert} ${meter} ${quantity} ${at_ms}`;
          if (alert === undefined || now - at_ms > DAY_MS || now - at_ms < SETTLED_MS || told.has(key)) continue;
          await alerts.raise(tenant, alert, meter, 'warning', { quantity, since_ms: at_ms, from, to });
          if (told.size >= REMEMBERED) told.clear();
          told.add(key);
        }
    },
    /** One round over all meters. */
    async round(): Promise<void> {
      for (const tenant of site.tenants()) {
        try {
          const open = await alerts.list(tenant, { open_only: true, limit: 1000 });
          await checkSilence(tenant, open);
          await checkOver(tenant, open);
        } catch (error) {
          log.warn({ err: error, tenant_id: tenant }, 'the round over the meters failed; the next one tries again');
        }
      }
    },
  };
}

/** The newest stored reading of any quantity and the usual spacing around it; for meters not heard since the start. */
async function lastStored(
  { series, clock }: QualityDeps,
  tenant: string,
  meter: string,
): Promise<Omit<Seen, 'arrivals'>> {
  const now = clock.now();
  let newest: Omit<Seen, 'arrivals'> = { last_ms: null, usual_ms: null };
  for (const { quantity } of (await series.list(tenant)).filter((one) => one.meter === meter)) {
    const slots = await series.slots.read(tenant, { meter, quantity, from_ms: now - LOOK_BACK_MS, to_ms: now });
    const last = slots.at_ms.at(-1);
    if (last === undefined) continue;
    const range = { meter, quantity, from_ms: last - HOUR_MS, to_ms: last + SLOT_MS };
    const { at_ms } = await series.readings.read(tenant, range, { edges: true });
    const last_ms = at_ms.findLast((at) => at <= now) ?? last;
    if (last_ms > (newest.last_ms ?? 0)) newest = { last_ms, usual_ms: usualInterval(at_ms.slice(-SPACINGS)) };
  }
  return newest;
}

/** Whether the newest known slot of the last two hours carries the mark; null where there is none. */
async function isMarked(
  { series, clock }: QualityDeps,
  tenant: string,
  alert: Alert,
  mark: number,
): Promise<boolean | null> {
  const quantity = String(alert.detail.quantity ?? '');
  const now = clock.now();
  const range = { meter: alert.object, quantity, from_ms: now - 2 * HOUR_MS, to_ms: now };
  const { quality, values } = await series.slots.read(tenant, range);
  const last = values.findLastIndex((value, i) => !Number.isNaN(value) || (quality[i]! & mark) !== 0);
  return last < 0 ? null : (quality[last]! & mark) !== 0;
}
