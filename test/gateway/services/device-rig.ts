/** The device service with its real neighbours on a real database; broker, series and journal are stand-ins. */
import { join } from 'node:path';
import { createMemoryBus } from '../../../connectors/bus/memory.ts';
import { erasedBy } from '../../../engine/model/erasure.ts';
import type { ReadingGroup } from '../../../engine/model/reading.ts';
import { openVault } from '../../../gateway/auth/vault.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { createAlertService } from '../../../gateway/services/alerts.ts';
import { createAuditService } from '../../../gateway/services/audit.ts';
import { createDeviceService, type DeviceDeps } from '../../../gateway/services/devices.ts';
import { createMeterService } from '../../../gateway/services/meters.ts';
import { openProfileCatalogue } from '../../../gateway/services/profiles.ts';
import { createSiteService } from '../../../gateway/services/site.ts';
import type { Actor, Base } from '../../../gateway/services.ts';
import { openTestDatabase, silent, type TestDatabase } from '../../setup/database.ts';

export const admin: Actor = { tenant: 'default', person: 'anna', role: 'admin', language: 'en' };
export const profiles = openProfileCatalogue(join(import.meta.dirname, '../../../firmware-profiles'));

export type DeviceRig = Awaited<ReturnType<typeof openDeviceRig>>;

export async function openDeviceRig() {
  const test: TestDatabase = await openTestDatabase();
  await test.db.asSystem((sql) => sql(`insert into tenant (id, name) values ('acme', 'Acme')`));
  const clock = { at_ms: Date.UTC(2026, 5, 1, 12), now: () => clock.at_ms };
  const bus = createMemoryBus({ log: silent });
  const metrics = createMetrics({ defaults: false });
  const disconnected: string[] = [];
  const forgotten: string[] = [];
  const erased: { tenant: string; meters: readonly string[] | null }[] = [];
  const messages: { topic: string; payload: Buffer }[] = [];
  const series = {
    readings: { cursor: async () => 8 },
  };
  const journal = {
    stats: () => ({ last_seq: 7 }),
    append: async ([group]: ReadingGroup[]) => {
      const meters = group && erasedBy(group);
      if (group && meters !== undefined) erased.push({ tenant: group.tenant, meters });
      return 8;
    },
  };
  const base = {
    ...{ db: test.db, log: silent, clock, bus, metrics, config: { discovery: true } },
    ...{ series, journal },
  } as unknown as Base;
  const site = createSiteService(base);
  await site.start();
  const alerts = createAlertService(base);

  const open = async () => {
    const meters = createMeterService({ ...base, site });
    await meters.start();
    const listen: DeviceDeps['listen'] = async (_tenant, _filter, signal) => {
      const message = messages.shift();
      if (message) return message;
      return new Promise((_, reject) => {
        if (signal.aborted) reject(new Error('aborted'));
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      });
    };
    const devices = createDeviceService({
      ...base,
      ...{ meters, alerts, profiles, listen, audit: createAuditService(base), vault: await openVault(test.home) },
      quarantine: { erase: async () => {} },
      disconnect: (tenant, device) => disconnected.push(`${tenant}/${device}`),
      forget: async (tenant, device) => void forgotten.push(`${tenant}/${device}`),
    });
    await devices.start();
    return { meters, devices };
  };
  return {
    ...{ test, base, clock, bus, alerts, disconnected, forgotten, erased, messages, open, db: test.db },
    async clear() {
      for (const tenant of ['default', 'acme'])
        await test.db.asTenant(tenant, async (sql) => {
          await sql('delete from meter_point');
          await sql('delete from device');
          await sql('delete from alert');
          await sql(`delete from directory where kind = 'device'`);
        });
      disconnected.length = 0;
      forgotten.length = 0;
      erased.length = 0;
      messages.length = 0;
    },
    close: () => test.close(),
  };
}
