/** What an admin sets for plans: the devices that they may move, and how they are made. Checked, kept, and audited. */
import {
  type PlanDevice,
  PlanDeviceSchema,
  type PlanSettings,
  PlanSettingsSchema,
} from '../../../engine/dispatch/plan-devices.ts';
import { type Fault, InvalidDataError } from '../../../engine/errors.ts';
import type { Device } from '../../../engine/model/site.ts';
import type { Actor, Base, MeterService } from '../../services.ts';
import { writeAudit } from '../audit.ts';
import { dropDevice, parseWith, readDevices, readPlanSettings, storeDevice, storePlanSettings } from './devices.ts';

export type KeeperDeps = Pick<Base, 'db' | 'clock'> & {
  meters: Pick<MeterService, 'get'>;
  /** Devices of the box that setpoints go to. */
  boxDevice: (tenant: string, id: string) => Device | null;
  siteOf: (tenant: string) => string;
  /** Told after each change. */
  changed: (tenant: string) => void;
};

export type PlanKeeper = {
  devices(tenant: string): Promise<PlanDevice[]>;
  /** @throws InvalidDataError with every fault */
  saveDevice(actor: Actor, device: unknown): Promise<PlanDevice>;
  /** @throws NotFoundError */
  removeDevice(actor: Actor, id: string): Promise<void>;
  settings(tenant: string): Promise<PlanSettings>;
  /** @throws InvalidDataError with every fault */
  saveSettings(actor: Actor, settings: unknown): Promise<PlanSettings>;
};

export function createPlanKeeper(deps: KeeperDeps): PlanKeeper {
  const { db, clock, siteOf, changed } = deps;
  return {
    devices: (tenant) => db.asTenant(tenant, (sql) => readDevices(sql, siteOf(tenant))),
    async saveDevice(actor, value) {
      const device = parseWith(PlanDeviceSchema, value, 'The device');
      checkNamed(deps, actor.tenant, device);
      await db.asTenant(actor.tenant, async (sql) => {
        const former = await storeDevice(sql, actor, siteOf(actor.tenant), device, clock.now());
        const writes = device.control.way !== 'none' && device.control.writing;
        await writeAudit(sql, actor, former ? 'change plan device' : 'add plan device', device.id, {
          ...{ settings: device, writing: writes },
        });
      });
      changed(actor.tenant);
      return device;
    },
    async removeDevice(actor, id) {
      await db.asTenant(actor.tenant, async (sql) => {
        await dropDevice(sql, siteOf(actor.tenant), id);
        await writeAudit(sql, actor, 'remove plan device', id);
      });
      changed(actor.tenant);
    },
    settings: (tenant) => db.asTenant(tenant, readPlanSettings),
    async saveSettings(actor, value) {
      const settings = parseWith(PlanSettingsSchema, value, 'The settings of the plan');
      await db.asTenant(actor.tenant, async (sql) => {
        await storePlanSettings(sql, actor.tenant, settings);
        await writeAudit(sql, actor, 'change plan settings', siteOf(actor.tenant), settings);
      });
      changed(actor.tenant);
      return settings;
    },
  };
}

/** @throws InvalidDataError that names every meter point and device of the box that does not exist */
function checkNamed({ meters, boxDevice }: KeeperDeps, tenant: string, device: PlanDevice): void {
  const faults: Fault[] = [];
  const point = (where: 'soc_meter' | 'meter', id: string | null) => {
    if (id !== null && !meters.get(tenant, id)) faults.push({ where, problem: `there is no meter point "${id}"` });
  };
  if ('soc_meter' in device) point('soc_meter', device.soc_meter);
  if ('meter' in device) point('meter', device.meter);
  const { control } = device;
  if (control.way !== 'none') {
    const kind = boxDevice(tenant, control.device)?.connection.kind;
    if (kind === undefined)
      faults.push({ where: 'control.device', problem: `the box has no device "${control.device}"` });
    else if (control.way === 'modbus' && kind !== 'modbus-tcp' && kind !== 'modbus-rtu')
      faults.push({ where: 'control.device', problem: `"${control.device}" has no Modbus connection` });
  }
  if (faults.length === 0) return;
  const words = faults.map(({ problem }) => problem).join(', and ');
  throw new InvalidDataError(
    `${words[0]!.toUpperCase()}${words.slice(1)}.`,
    'Choose one that exists; the page Meters lists them.',
    faults,
  );
}
