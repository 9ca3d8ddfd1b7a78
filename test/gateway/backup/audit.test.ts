/** The audit log of a backup is followed from its first entry to its last before the box gets it. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { asOwner } from '../../../connectors/database/postgres/migrate.ts';
import { openAuditKey } from '../../../gateway/auth/audit-key.ts';
import { appendHeads } from '../../../gateway/services/audit-head-file.ts';
import { openRig, type Rig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
  const columns = 'tenant_id, actor, act, object, detail';
  for (let n = 0; n < 5; n++)
    await rig.db.asTenant('acme', (sql) =>
      sql(`insert into audit (${columns}) values ('acme', 'anna', 'site.save', $1, '{}')`, [`site ${n}`]),
    );
  const [last] = await rig.db.asTenant('acme', (sql) =>
    sql<{ id: number; hash: string }>('select id, hash from audit order by id desc limit 1'),
  );
  const { sign } = await openAuditKey(rig.home);
  await appendHeads(rig.home, [sign({ tenant: 'acme', ...last!, at: '2026-03-01T00:00:00.000Z' })]);
}, 90_000);
afterAll(() => rig?.end());

const tamper = (statement: string) =>
  asOwner(rig.db.cluster.connection, async (client) => {
    await client.query(`set session_replication_role = replica`);
    await client.query(statement);
  });

it('whole, it is restored with its key; with an entry cut off or changed, nothing is', async () => {
  await rig.backup();
  expect(await rig.restore('whole')).toMatchObject({ audit_entries: 5 });
  await tamper(`delete from luna.audit where id = (select max(id) from luna.audit)`);
  await rig.backup();
  await expect(rig.restore('cut')).rejects.toThrow(/audit log of acme.*is missing/);
  expect((await readdir(join(rig.root, 'cut'))).filter((name) => !name.startsWith('luna.lock'))).toEqual([]);
  await tamper(`update luna.audit set actor = 'nobody' where id = 2`);
  await rig.backup();
  await expect(rig.restore('changed')).rejects.toThrow(/audit log of acme.*Entry 2 .*not as it was written/);
}, 120_000);
