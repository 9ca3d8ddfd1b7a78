/** Alerts of the sample building: open, acknowledged and over, in memory. */
import { NotFoundError } from '../../engine/errors.ts';
import { HOUR_MS } from '../../engine/model/time.ts';
import type { Clock } from '../../engine/ports.ts';
import { parseChannelSettings } from '../../gateway/services/notify/channel.ts';
import type { MessageState } from '../../gateway/services/notify/outbox.ts';
import type { Channel, Recipient } from '../../gateway/services/notify/settings.ts';
import type { Alert, AlertService, Services } from '../../gateway/services.ts';

export const SAMPLE_ALERT_IDS = ['al-open', 'al-seen', 'al-over'] as const;

export function sampleAlerts(clock: Clock): Pick<Services, 'alerts' | 'notify'> {
  return { alerts: alertsOver(someAlerts(clock), clock), notify: notifyOver(clock) };
}

/** Two channels, three recipients, and messages of each state. */
function notifyOver(clock: Clock): Services['notify'] {
  const common = { min_severity: 'warning' as const, repeat_min: null, enabled: true };
  const channels: Channel[] = [
    {
      ...{ ...common, id: 'ch-mail', name: 'Mail', kind: 'email' as const, has_secret: true },
      settings: {
        ...{ host: 'mail.example.org', port: 587, security: 'starttls' as const, user: 'luna', ca_pem: null },
        from: 'Luna <luna@example.org>',
      },
    },
    {
      ...{ ...common, id: 'ch-hook', name: 'Control room', kind: 'webhook' as const, has_secret: true },
      settings: { host: 'control.example.org' },
    },
  ];
  const person = { language: 'en' as const, faults_break_through: true, enabled: true, quiet: null };
  const recipients: Recipient[] = [
    { ...person, id: 're-1', channel: 'ch-mail', name: 'Anna', address: 'anna@example.org', step: 1 },
    { ...person, id: 're-2', channel: 'ch-hook', name: 'Control room', address: null, step: 2 },
  ];
  recipients[0]!.quiet = { from_min: 22 * 60, to_min: 6 * 60 };
  const now_ms = clock.now();
  const line = { severity: 'warning' as const, alerts: 1, next_try_ms: null, sent_ms: null };
  const messages: MessageState[] = [
    {
      ...{
        ...line,
        id: 'me-2',
        recipient_name: 'Control room',
        channel_name: 'Control room',
        state: 'waiting',
        tries: 3,
      },
      ...{ made_ms: now_ms - 80 * 60_000, next_try_ms: now_ms + 5 * 60_000 },
      outcome: 'The address control.example.org cannot take the message now (HTTP 503). The box tries again by itself.',
    },
    {
      ...{ ...line, id: 'me-1', recipient_name: 'Anna', channel_name: 'Mail', state: 'sent', tries: 1 },
      ...{
        made_ms: now_ms - 2 * HOUR_MS,
        sent_ms: now_ms - 2 * HOUR_MS + 900,
        outcome: '250 2.0.0 Ok: queued as 4F2A',
      },
    },
  ];
  return {
    channels: async () => channels,
    recipients: async () => recipients,
    rules: async () => ({ group_s: 60, escalate_min: 30 }),
    saveChannel: async (_, { kind, settings }) => {
      parseChannelSettings(kind, settings);
      return {
        id: 'ch-new',
        made_secret: kind === 'webhook' ? 'whsec_c2FtcGxlIHNlY3JldCBvZiB0aGlydHktdHdvIGJ5dGVz' : null,
      };
    },
    removeChannel: async () => {},
    saveRecipient: async () => ({ id: 're-new' }),
    removeRecipient: async () => {},
    saveRules: async () => {},
    test: async (_, id) =>
      id === 'ch-mail'
        ? { ok: true, text: '250 2.0.0 Ok: queued as 51C3', took_ms: 812 }
        : {
            ok: false,
            text: 'The address control.example.org does not take the message: it took too long.',
            took_ms: 30_000,
          },
    messages: async () => messages,
    told: async (_, alert) =>
      alert === 'al-over'
        ? []
        : messages.toReversed().map((message, i) => ({ ...message, what: i === 0 ? 'opened' : 'escalated' })),
    start: async () => {},
    stop: () => {},
  };
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
