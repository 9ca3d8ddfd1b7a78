/** Devices as YAML, to keep, to review and to carry to another box. Secrets are never in it. */
import { stringify } from 'yaml';
import type { Actor, CreatedDevice, DeviceService, MeterService, ProfileCatalogue } from '../../services.ts';
import type { UploadReader } from '../../workers/upload-reader.ts';
import { withoutSecrets } from './connection.ts';
import type { FileDevice } from './device-file-schema.ts';

export type DeviceFileReport = {
  created: CreatedDevice[];
  changed: string[];
  unchanged: string[];
  faults: { device: string; problem: string }[];
};

type Services = { devices: DeviceService; meters: Pick<MeterService, 'ofDevice'>; profiles: ProfileCatalogue };

export function exportDevices({ devices, meters, profiles }: Services, tenant: string): string {
  const list = devices.list(tenant).map(({ id, name, profile, connection, enabled }) => {
    const points = meters.ofDevice(tenant, id).map((point) => ({
      ...{ channel: point.channel, id: point.id, name: point.name, role: point.role, parent: point.parent },
    }));
    const channels = (profile === null ? null : profiles.get(profile))?.channels ?? [];
    // What was removed here shall not come back there.
    const skipped = channels
      .filter((channel) => !points.some((point) => point.channel === channel.name))
      .map((channel) => ({ channel: channel.name, skip: true }));
    const all = [...points, ...skipped].sort((a, b) => a.channel.localeCompare(b.channel));
    return { id, name, profile, connection: bare(withoutSecrets(connection)), enabled, points: all };
  });
  return stringify({ devices: list }, { lineWidth: 120 });
}

/** A token is not exported, and its absence must not take away the one that is stored. */
function bare(connection: object): object {
  return Object.fromEntries(Object.entries(connection).filter(([key, value]) => key !== 'token' || value !== null));
}

/**
 * Creates what is not there and changes what differs; removes nothing. One device's fault does not hold up the others.
 * @throws InvalidDataError when the text is no such file.
 */
export async function importDevices(
  { devices, uploads }: Services & { uploads: Pick<UploadReader, 'devices'> },
  actor: Actor,
  text: string,
): Promise<DeviceFileReport> {
  const report: DeviceFileReport = { created: [], changed: [], unchanged: [], faults: [] };
  for (const wish of await uploads.devices(text))
    try {
      const known = devices.get(actor.tenant, wish.id);
      if (!known) await create(devices, actor, wish, report);
      else if (known.profile !== wish.profile) {
        const problem = `It has the profile ${known.profile ?? '(none)'}, the file says ${wish.profile ?? '(none)'}: remove it first.`;
        report.faults.push({ device: wish.id, problem });
      } else if (await changed(devices, actor, wish)) report.changed.push(wish.id);
      else report.unchanged.push(wish.id);
    } catch (error) {
      const { message, remedy } = error as Error & { remedy?: string };
      report.faults.push({ device: wish.id, problem: remedy ? `${message} ${remedy}` : message });
    }
  return report;
}

async function create(devices: DeviceService, actor: Actor, wish: FileDevice, report: DeviceFileReport): Promise<void> {
  const { id, name, profile, points, enabled } = wish;
  // The service checks the connection; here it is only known to be an object with a kind.
  const connection = wish.connection as unknown as Parameters<DeviceService['create']>[1]['connection'];
  report.created.push(await devices.create(actor, { id, name, profile, connection, points }));
  if (!enabled) await devices.update(actor, id, { enabled });
}

async function changed(devices: DeviceService, actor: Actor, wish: FileDevice): Promise<boolean> {
  const before = JSON.stringify(devices.get(actor.tenant, wish.id));
  const connection = wish.connection as unknown as Parameters<DeviceService['create']>[1]['connection'];
  const { name, enabled } = wish;
  const known = devices.get(actor.tenant, wish.id)!;
  const same =
    (name ?? known.name) === known.name &&
    enabled === known.enabled &&
    JSON.stringify(sorted(bare(withoutSecrets(known.connection)))) === JSON.stringify(sorted(connection));
  if (same) return false;
  await devices.update(actor, wish.id, { ...(name === undefined ? {} : { name }), enabled, connection });
  return JSON.stringify(devices.get(actor.tenant, wish.id)) !== before;
}

function sorted(connection: object): object {
  return Object.fromEntries(Object.entries(connection).sort(([a], [b]) => a.localeCompare(b)));
}
