/** The tables device, device_credential and directory. */
import { InvalidDataError } from '../../../engine/errors.ts';
import type { Device } from '../../../engine/model/site.ts';
import type { Database, Sql } from '../../../engine/ports.ts';
import { enter, leave } from '../../auth/directory.ts';
import { type Credential, usernameOf } from './credentials.ts';
import type { SealedConnections } from './sealed.ts';

export async function loadTenants(db: Database): Promise<string[]> {
  const rows = await db.asSystem((sql) => sql<{ id: string }>('select id from tenant order by id'));
  return rows.map(({ id }) => id);
}

/** Seals secrets that a former version left in the clear. */
export async function loadDevices(sql: Sql, sealed: SealedConnections): Promise<Device[]> {
  const rows = await sql<Device>(
    'select tenant_id as tenant, id, name, profile, connection, enabled, firmware from device',
  );
  for (const device of rows.filter(({ connection }) => sealed.isPlain(connection)))
    await sql('update device set connection = $2 where id = $1', [
      device.id,
      JSON.stringify(sealed.seal(device, device.connection)),
    ]);
  return rows.map((device) => ({ ...device, connection: sealed.open(device, device.connection) }));
}

export async function loadCredentials(sql: Sql): Promise<[string, Credential][]> {
  const rows = await sql<{ tenant: string; device: string; username: string; sha256: Buffer }>(
    'select tenant_id as tenant, device_id as device, username, secret_sha256 as sha256 from device_credential',
  );
  return rows.map(({ username, ...credential }) => [username, credential]);
}

/** @throws InvalidDataError where somebody else was quicker. */
export async function insertDevice(sql: Sql, sealed: SealedConnections, device: Device, demo: boolean): Promise<void> {
  const { tenant, id, name, profile, connection, enabled } = device;
  const stored = await sql(
    `insert into device (tenant_id, id, name, profile, connection, enabled, demo) values ($1, $2, $3, $4, $5, $6, $7)
      on conflict do nothing returning id`,
    [tenant, id, name, profile, JSON.stringify(sealed.seal(device, connection)), enabled, demo],
  );
  if (stored.length === 0) throw new InvalidDataError(`There is a device ${id} already.`, 'Choose another id.');
}

export async function updateDevice(sql: Sql, sealed: SealedConnections, device: Device): Promise<void> {
  const { id, name, enabled, firmware } = device;
  const connection = JSON.stringify(sealed.seal(device, device.connection));
  await sql('update device set name = $2, connection = $3, enabled = $4, firmware = $5 where id = $1', [
    ...[id, name, connection, enabled, firmware],
  ]);
}

/** Replaces what credential the device has. @throws InvalidDataError where another tenant's device has the user name. */
export async function writeCredential(sql: Sql, tenant: string, device: string, sha256: Buffer): Promise<void> {
  await deleteCredentials(sql, device);
  const username = usernameOf(tenant, device);
  if (!(await enter(sql, 'device', username, tenant)))
    throw new InvalidDataError(`The user name ${username} is taken in this box.`, 'Choose another id for the device.');
  await sql('insert into device_credential (tenant_id, username, device_id, secret_sha256) values ($1, $2, $3, $4)', [
    tenant,
    username,
    device,
    sha256,
  ]);
}

async function deleteCredentials(sql: Sql, device: string): Promise<void> {
  const gone = await sql<{ username: string }>(
    'delete from device_credential where device_id = $1 returning username',
    [device],
  );
  await leave(
    sql,
    'device',
    gone.map(({ username }) => username),
  );
}

/** Meter points go with their device; those that were parts of them become parts of nothing. */
export async function deleteDevice(sql: Sql, device: string): Promise<void> {
  await deleteCredentials(sql, device);
  await sql(
    `update meter_point set parent_id = null where parent_id in (select id from meter_point where device_id = $1)`,
    [device],
  );
  await sql('delete from device where id = $1', [device]);
}
