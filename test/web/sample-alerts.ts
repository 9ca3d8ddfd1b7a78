/** Alerts of the sample building: open, acknowledged and over, in memory. */
import { NotFoundError } from '../../engine/errors.ts';
import { HOUR_MS } from '../../engine/model/time.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Alert, AlertService, Services } from '../../gateway/services.ts';

export const SAMPLE_ALERT_IDS = ['al-open', 'al-seen', 'al-over'] as const;

export function sampleAlerts(clock: Clock): Pick<Services, 'alerts'> {
  return { alerts: alertsOver(someAlerts(clock), clock) };
}

/** One of each state, for pages that show them. */
export function someAlerts(clock: Clock): Alert[] {
  const now_ms = clock.now();
  const common = { closed_ms: null, acknowledged_ms: null, acknowledged_by: null, detail: {} };
  return [
    {
      ...common,
      id: 'al-open',
      kind: 'meter_silent',
      object: 'servers',
      severity: 'warning',
      opened_ms: now_ms - 2 * HOUR_MS,
    },
    {
      ...{
        ...common,
        id: 'al-seen',
        kind: 'disk_full',
        object: 'disk',
        severity: 'fault',
        opened_ms: now_ms - 5 * HOUR_MS,
      },
      ...{ detail: { free_bytes: 180_000_000 }, acknowledged_ms: now_ms - 4 * HOUR_MS, acknowledged_by: 'anna' },
    },
    {
      ...{
        ...common,
        id: 'al-over',
        kind: 'prices_stale',
        object: 'DE-LU',
        severity: 'warning',
        opened_ms: now_ms - 40 * HOUR_MS,
      },
      closed_ms: now_ms - 30 * HOUR_MS,
    },
  ];
}

export function alertsOver(alerts: Alert[], clock: Clock): AlertService {
  return {
    raise: async () => {},
    clear: async () => {},
    list: async (_, { open_only = false } = {}) => alerts.filter(({ closed_ms }) => !open_only || closed_ms === null),
    get: async (_, id) => alerts.find((alert) => alert.id === id) ?? null,
    byId: async (_, ids) => new Map(alerts.filter(({ id }) => ids.includes(id)).map((alert) => [alert.id, alert])),
    acknowledge: async ({ person }, id) => {
      const i = alerts.findIndex((alert) => alert.id === id);
      if (i < 0) throw new NotFoundError('There is no such alert.');
      alerts[i] = { ...alerts[i]!, acknowledged_ms: clock.now(), acknowledged_by: person };
      return alerts[i];
    },
  };
}
