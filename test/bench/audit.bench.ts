/** Tampers with a real audit log under the rights of the database's superuser, and counts what verification finds. */
import { join } from 'node:path';
import pg from 'pg';
import { clientConfig } from '../../connectors/database/postgres/connection.ts';
import { sqlOf } from '../../connectors/database/postgres/migrate.ts';
import { createRandom } from '../../engine/random.ts';
import { openAuditKey } from '../../gateway/auth/audit-key.ts';
import { writeAudit } from '../../gateway/services/audit.ts';
import { readHeadFile } from '../../gateway/services/audit-head-file.ts';
import { createAuditHeads } from '../../gateway/services/audit-heads.ts';
import { verifyAudit, verifyEntries } from '../../gateway/services/audit-verify.ts';
import { openTestDatabase, silent } from '../setup/database.ts';
import { type Forger, MUTATIONS } from './audit/mutations.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'edits, drops, insertions, reorders and cuts of the audit log: --mutations 10000 --entries 60 --seed 1';

const TENANT = 'default';
const ACTS = ['sign in', 'change site', 'create device', 'änderte "Zähler"\n', 'repair readings'];

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const mutations = Number(options.mutations ?? 10_000);
  const entries = Number(options.entries ?? 60);
  const random = createRandom(Number(options.seed ?? 1));
  const draw = (n: number) => Math.floor(random() * n);
  const test = await openTestDatabase();
  const client = new pg.Client({
    ...clientConfig({ host: join(test.home, 'postgres'), port: 5432, user: 'postgres', database: 'luna' }, 60_000),
  });
  try {
    await write(test, entries, draw);
    const untouched = await verifyAudit({ db: test.db, home: test.home, tenant: TENANT });
    if (untouched.fault || untouched.entries !== entries)
      throw new Error(`a fault before any: ${untouched.fault?.problem}`);
    const key = await openAuditKey(test.home);
    const heads = await readHeadFile(test.home);
    await client.connect();
    const sql = sqlOf(client);
    // The superuser is bound by no row-level security; a trigger would put things right.
    await sql('alter table audit disable trigger chain');
    let found = 0;
    const missed: string[] = [];
    for (let i = 0; i < mutations; i++) {
      const mutation = MUTATIONS[i % MUTATIONS.length]!;
      const forger: Forger = { sql, draw, tenant: TENANT, entries, heads };
      await sql('begin');
      await mutation.apply(forger);
      const { fault } = await verifyEntries(sql, TENANT, forger.heads, key);
      await sql('rollback');
      if (fault) found++;
      else missed.push(mutation.name);
      if ((i + 1) % 1000 === 0) progress(`${i + 1} mutations, ${found} found`);
    }
    for (const name of new Set(missed)) progress(`missed: ${name}`);
    return { mutations, found, missed: missed.length };
  } finally {
    await client.end().catch(() => {});
    await test.close();
  }
}

/** Entries with a signed head here and there, and one over the last. */
async function write(test: Awaited<ReturnType<typeof openTestDatabase>>, entries: number, draw: (n: number) => number) {
  const { db, home } = test;
  await db.asSystem((sql) => sql(`insert into tenant (id, name) values ('${TENANT}', 'x') on conflict do nothing`));
  const heads = createAuditHeads({ db, home, clock: Date, log: silent, tenants: () => [TENANT] });
  const actor = { tenant: TENANT, person: 'anna', role: 'admin', language: 'en' } as const;
  for (let i = 0; i < entries; i++) {
    const act = ACTS[draw(ACTS.length)]!;
    await db.asTenant(TENANT, (sql) =>
      writeAudit(sql, actor, act, `object ${i}`, { n: i, from: '10.0.0.1', ü: [0.5] }),
    );
    if (draw(10) === 0) await heads.sign(TENANT);
  }
  await heads.sign(TENANT);
}
