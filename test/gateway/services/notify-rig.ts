/** Alerts, jobs and notifications over a real database, with ways out to loopback. */

import type { OpenedDatabase } from '../../../connectors/database/postgres/pool.ts';
import type { WebhookFetch } from '../../../connectors/notify/webhook.ts';
import type { Clock, LunaEvent } from '../../../engine/ports.ts';
import { createVault } from '../../../gateway/auth/vault.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { createAlertService } from '../../../gateway/services/alerts.ts';
import { createJobService } from '../../../gateway/services/jobs.ts';
import type { WaysOut } from '../../../gateway/services/notify/channel.ts';
import { createNotifyService } from '../../../gateway/services/notify.ts';
import type { Actor } from '../../../gateway/services.ts';
import { connect } from '../../connectors/notify/socket.ts';
import { silent } from '../../setup/database.ts';

export const ADMIN: Actor = { tenant: 'default', person: 'anna', role: 'admin', language: 'en' };
const KEY = Buffer.alloc(32, 7);

export function createNotifyRig(
  db: OpenedDatabase,
  options: { clock?: Clock; published?: string[]; tenants?: string[]; ways?: WaysOut } = {},
) {
  const clock = options.clock ?? Date;
  const metrics = createMetrics({ defaults: false });
  const listeners = new Set<(event: LunaEvent) => void>();
  const bus = {
    publish: (event: LunaEvent) => {
      for (const listener of listeners) listener(event);
    },
    subscribe: (listener: (event: LunaEvent) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {},
  };
  const base = { db, clock, bus, log: silent, metrics };
  const alerts = createAlertService(base);
  const jobs = createJobService({ ...base, connection: db.connection, pace: { ask_every_s: 0.5 } });
  const notify = createNotifyService({
    ...base,
    ...{ alerts, jobs, vault: createVault(KEY) },
    site: {
      get: () => null,
      save: async () => {},
      remove: async () => {},
      onChange: () => {},
      tenants: () => options.tenants ?? ['default'],
    },
    meters: { get: () => null, ofDevice: () => [] },
    devices: { get: () => null },
    baseUrl: () => 'http://box.example:8080',
    ways: options.ways ?? {
      ...{ connect, clock, fetch: fetch as WebhookFetch },
      publish: async (tenant, topic, payload, retain) => {
        options.published?.push(`${tenant} ${topic} ${retain} ${payload}`);
      },
    },
    pace: { round_ms: 150, deadline_ms: 3000, lease_ms: 1500, retry_ms: 200 },
  });
  return {
    ...{ alerts, jobs, notify },
    async start() {
      await jobs.start();
      await notify.start();
    },
    async stop() {
      notify.stop();
      await jobs.stop();
    },
  };
}

/** An e-mail channel at a receiver on loopback and somebody to tell, without waiting for more alerts. */
export async function mailTo(
  rig: ReturnType<typeof createNotifyRig>,
  port: number,
  change: { step?: number; name?: string; language?: 'en' | 'de' } = {},
) {
  const { name = 'mail', step = 1, language = 'en' } = change;
  const settings = { host: '127.0.0.1', port, security: 'none', user: null, from: 'luna@example.org', ca_pem: null };
  const { id: channel } = await rig.notify.saveChannel(ADMIN, {
    ...{ name, kind: 'email', settings, min_severity: 'warning' as const, repeat_min: null, enabled: true },
  });
  const address = `${name}@example.org`;
  const { id: recipient } = await rig.notify.saveRecipient(ADMIN, {
    ...{ channel, name, address, language, step, quiet: null, faults_break_through: true, enabled: true },
  });
  await rig.notify.saveRules(ADMIN, { group_s: 0, escalate_min: 1 });
  return { channel, recipient, settings };
}
