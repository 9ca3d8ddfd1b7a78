/** The devices and credentials of all tenants in memory: this process alone writes them. */
import type { Device } from '../../../engine/model/site.ts';
import type { Database } from '../../../engine/ports.ts';
import type { Credential } from './credentials.ts';
import { loadCredentials, loadDevices, loadTenants } from './rows.ts';
import type { SealedConnections } from './sealed.ts';

export type DeviceMemory = {
  tenants(): readonly string[];
  /** By name. */
  list(tenant: string): readonly Device[];
  get(tenant: string, id: string): Device | null;
  credential(username: string): Credential | undefined;
  /** Reads one tenant anew; after every change. */
  load(tenant: string): Promise<void>;
  loadAll(): Promise<void>;
  /** Puts a changed device in place without reading anew. */
  replace(device: Device): void;
};

type Kept = { byId: ReadonlyMap<string, Device>; byName: readonly Device[] };

export function createDeviceMemory(db: Database, sealed: SealedConnections): DeviceMemory {
  const tenants = new Map<string, Kept>();
  const credentials = new Map<string, Credential>();
  let loading: Promise<void> = Promise.resolve();

  function keep(tenant: string, devices: readonly Device[]): void {
    const byName = [...devices].sort((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
    tenants.set(tenant, { byId: new Map(devices.map((device) => [device.id, device])), byName });
  }

  async function read(tenant: string): Promise<void> {
    const { devices, secrets } = await db.asTenant(tenant, async (sql) => ({
      devices: await loadDevices(sql, sealed),
      secrets: await loadCredentials(sql),
    }));
    keep(tenant, devices);
    for (const [username, credential] of credentials) if (credential.tenant === tenant) credentials.delete(username);
    for (const [username, credential] of secrets) credentials.set(username, credential);
  }

  // One after the other, so that an older answer never replaces a newer one.
  function load(tenant: string): Promise<void> {
    loading = loading.catch(() => undefined).then(() => read(tenant));
    return loading;
  }

  return {
    tenants: () => [...tenants.keys()],
    list: (tenant) => tenants.get(tenant)?.byName ?? [],
    get: (tenant, id) => tenants.get(tenant)?.byId.get(id) ?? null,
    credential: (username) => credentials.get(username),
    load,
    async loadAll() {
      for (const tenant of await loadTenants(db)) await load(tenant);
    },
    replace(device) {
      const others = tenants.get(device.tenant)?.byName ?? [];
      keep(
        device.tenant,
        others.map((other) => (other.id === device.id ? device : other)),
      );
    },
  };
}
