/** Watches meters: raises and clears the alerts for silence, standing still, resets. */
import { Quality } from '../../engine/model/quality.ts';
import { HOUR_MS } from '../../engine/model/time.ts';
import type { QualityEvent } from '../../engine/quality/accumulator.ts';
import { silenceLimit, usualInterval } from '../../engine/quality/report.ts';
import type { SlotsChanged } from '../series.ts';
import type { Alert, AlertKind } from '../services.ts';
import type { QualityDeps } from './quality.ts';
import { lastHeard } from './quality-last-heard.ts';

const DAY_MS = 24 * HOUR_MS;
/** An event is believed once the readings after it are in: a dip at the newest reading looks like a reset. */
const SETTLED_MS = 10 * 60_000;
const SPACINGS = 12;
const MOST_ALERTS = 10_000;
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

/** The reading after which it fell silent. */
const sinceOf = ({ detail, opened_ms }: Alert): number =>
  typeof detail.since_ms === 'number' ? detail.since_ms : opened_ms;

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

  /** What is known of each meter; those not heard since the start are looked up in the store, all at once. */
  async function seenOf(tenant: string, ids: readonly string[]): Promise<(id: string) => Seen> {
    const unknown = ids.filter((id) => !seen.has(`${tenant} ${id}`));
    if (unknown.length > 0)
      for (const [id, heard] of await lastHeard(deps, tenant, unknown))
        seen.set(`${tenant} ${id}`, { arrivals: [], ...heard });
    return (id) => {
      const one = seen.get(`${tenant} ${id}`) ?? { arrivals: [], last_ms: null, usual_ms: null };
      const last_ms = live.last_ms(tenant, id);
      if (last_ms !== null && last_ms > (one.last_ms ?? Number.NEGATIVE_INFINITY)) one.last_ms = last_ms;
      return one;
    };
  }

  async function checkSilence(tenant: string, open: readonly Alert[]): Promise<void> {
    const now = clock.now();
    const silent = new Map(open.filter(({ kind }) => kind === 'meter_silent').map((alert) => [alert.object, alert]));
    const expected = meters
      .list(tenant)
      .filter(({ device }) => device !== null && (deps.enabled?.(tenant, device) ?? true))
      .map(({ id }) => id);
    // Of what was removed or switched off nobody expects to hear.
    for (const id of silent.keys()) if (!expected.includes(id)) await alerts.clear(tenant, 'meter_silent', id);
    const of = await seenOf(tenant, expected);
    for (const id of expected) {
      const { last_ms, usual_ms } = of(id);
      // Nothing known of a meter says neither that it is silent nor that it spoke again.
      if (last_ms === null) continue;
      const alert = silent.get(id);
      const quiet = now - last_ms > silenceLimit(usual_ms);
      if (quiet && !alert) await alerts.raise(tenant, 'meter_silent', id, 'warning', { since_ms: last_ms, usual_ms });
      if (!quiet && alert && last_ms > sinceOf(alert)) await alerts.clear(tenant, 'meter_silent', id);
    }
  }

  async function checkOver(tenant: string, open: readonly Alert[]): Promise<void> {
    for (const alert of open)
      try {
        if (await isOver(tenant, alert)) await alerts.clear(tenant, alert.kind, alert.object);
      } catch (error) {
        const where = { err: error, tenant_id: tenant, kind: alert.kind, object: alert.object };
        log.warn(where, 'whether the alert is over is not known; the next round looks again');
      }
  }

  async function isOver(tenant: string, alert: Alert): Promise<boolean> {
    if (MOMENTS.has(alert.kind)) return clock.now() - alert.opened_ms > DAY_MS;
    const mark = alert.kind === 'unit_changed' ? Quality.UNIT : alert.kind === 'meter_stuck' ? Quality.STUCK : null;
    return mark !== null && (await isMarked(deps, tenant, alert, mark)) === false;
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
          const open = await alerts.list(tenant, { open_only: true, limit: MOST_ALERTS });
          await checkSilence(tenant, open);
          await checkOver(tenant, open);
        } catch (error) {
          log.warn({ err: error, tenant_id: tenant }, 'the round over the meters failed; the next one tries again');
        }
      }
    },
  };
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
