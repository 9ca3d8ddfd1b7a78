import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { vaultKeyFile } from '../../../gateway/auth/vault.ts';
import { exportDevices } from '../../../gateway/services/devices/device-file.ts';
import { admin, type DeviceRig, openDeviceRig, profiles } from './device-rig.ts';

const TOKEN = 'tok-3b1f9a72-secret';
const connection = { kind: 'http', url: 'http://192.168.1.5', token: TOKEN, poll_s: 10 } as const;

describe('secrets of devices at rest', () => {
  let rig: DeviceRig;
  beforeAll(async () => {
    rig = await openDeviceRig();
  });
  afterAll(() => rig?.close());
  beforeEach(() => rig.clear());

  const stored = async () => {
    const rows = await rig.db.asTenant('default', (sql) =>
      sql<{ connection: { token: string } }>('select connection from device order by id'),
    );
    return rows.map((row) => row.connection.token);
  };
  const everything = async () =>
    rig.db.asTenant('default', async (sql) =>
      JSON.stringify([await sql('select * from device'), await sql('select * from audit')]),
    );

  it('are sealed in the database, open after a restart, and in no export, list or audit entry', async () => {
    const { devices, meters } = await rig.open();
    await devices.create(admin, { id: 'hw', profile: 'homewizard-p1', connection });
    await devices.update(admin, 'hw', { name: 'renamed' });
    expect(await everything()).not.toContain(TOKEN);
    expect((await stored())[0]).toMatch(/^sealed1\./);
    const again = await rig.open();
    expect(again.devices.get('default', 'hw')?.connection).toMatchObject({ token: TOKEN });
    expect(exportDevices({ devices, meters, profiles }, 'default')).not.toMatch(/tok-3b1f|sealed1/);
  });

  it('that a former version left in the clear are sealed at the next start, once', async () => {
    const { devices } = await rig.open();
    await devices.create(admin, { id: 'hw', profile: 'homewizard-p1', connection });
    await rig.db.asTenant('default', (sql) => sql('update device set connection = $1', [JSON.stringify(connection)]));
    expect(await everything()).toContain(TOKEN);
    await rig.open();
    const [first] = await stored();
    expect(await everything()).not.toContain(TOKEN);
    const again = await rig.open();
    expect(await stored()).toEqual([first]);
    expect(again.devices.get('default', 'hw')?.connection).toMatchObject({ token: TOKEN });
  });

  it('of a lost key are not overwritten, and those of another device do not open', async () => {
    const { devices } = await rig.open();
    for (const id of ['one', 'two'])
      await devices.create(admin, {
        id,
        profile: 'homewizard-p1',
        connection: { ...connection, token: `${TOKEN}-${id}` },
      });
    const [one, two] = await stored();
    await rig.db.asTenant('default', (sql) =>
      sql(`update device set connection = connection || $1 where id = 'two'`, [JSON.stringify({ token: one })]),
    );
    expect((await rig.open()).devices.get('default', 'two')?.connection).toMatchObject({ token: one });
    await rig.db.asTenant('default', (sql) =>
      sql(`update device set connection = connection || $1 where id = 'two'`, [JSON.stringify({ token: two })]),
    );
    await rm(vaultKeyFile(rig.test.home));
    const lost = await rig.open();
    lost.devices.report('default', 'one', { kind: 'seen', firmware: '2' });
    await lost.devices.update(admin, 'one', { name: 'still there' });
    expect(await stored()).toEqual([one, two]);
  });
});
