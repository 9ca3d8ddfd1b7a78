/** What was in the audit log before it was a chain is chained as it is found. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openEmbeddedPostgres } from '../../../connectors/database/embedded/embedded.ts';
import { readMigrations } from '../../../connectors/database/postgres/migrate.ts';
import { verifyAudit } from '../../../gateway/services/audit-verify.ts';
import { FAST, silent } from '../../setup/database.ts';

it('chains the audit entries of former versions, each tenant for itself', async () => {
  const home = await mkdtemp(join(tmpdir(), 'luna-audit-'));
  try {
    const options = { home, log: silent, settings: FAST };
    const before = await openEmbeddedPostgres({ ...options, migrations: readMigrations().slice(0, 1) });
    for (const tenant of ['acme', 'zoo'])
      await before.asSystem((sql) => sql('insert into tenant (id, name) values ($1, $1)', [tenant]));
    for (let i = 0; i < 40; i++) {
      const tenant = i % 3 === 0 ? 'zoo' : 'acme';
      await before.asTenant(tenant, (sql) =>
        sql('insert into audit (tenant_id, actor, act, object, detail) values ($1, $2, $3, $4, $5)', [
          ...[tenant, 'anna', 'änderte "site"\n\u0001\u2028\\', `${i}`, JSON.stringify({ ß: [1.5, null, '😀'] })],
        ]),
      );
    }
    await before.close();
    const after = await openEmbeddedPostgres(options);
    try {
      for (const [tenant, entries] of [
        ['acme', 26],
        ['zoo', 14],
      ] as const) {
        expect(await verifyAudit({ db: after, home, tenant })).toMatchObject({ tenant, entries, fault: null });
        const rows = await after.asTenant(tenant, (sql) => sql<{ id: number }>('select id from audit order by id'));
        expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: entries }, (_, i) => i + 1));
      }
    } finally {
      await after.close();
    }
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}, 60_000);
