/** Every table into another Postgres: owners are bound by row-level security, and the audit chain must stay as it is. */
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parsePostgresUrl } from '../../../connectors/database/postgres/connection.ts';
import { moveTables } from '../../../connectors/database/postgres/move.ts';
import { openPostgres } from '../../../connectors/database/postgres/postgres.ts';
import { InvalidDataError } from '../../../engine/errors.ts';
import { type ExternalPostgres, startExternalPostgres } from '../../setup/external-postgres.ts';

const log = pino({ level: 'silent' });
let server: ExternalPostgres;
beforeAll(async () => {
  server = await startExternalPostgres();
}, 120_000);
afterAll(() => server.stop());

type Place = Awaited<ReturnType<ExternalPostgres['database']>>;
const migrated = async (): Promise<Place> => {
  const place = await server.database();
  await (await openPostgres({ url: place.url, owner_url: place.owner_url, log })).close();
  return place;
};
const asked = async (url: string, sql: string): Promise<unknown[][]> => {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows;
  } finally {
    await client.end();
  }
};
const owner = ({ owner_url }: Place) => parsePostgresUrl(owner_url, 'database_owner');

it('moves every row as it is, refuses a used target, and leaves nothing in one that it gave up', async () => {
  const [from, to] = [await migrated(), await migrated()];
  await asked(
    from.super_url,
    `insert into luna.tenant (id, name) values ('default', 'Müller & "Co" \\ 🌱') on conflict (id) do update set name = excluded.name;
     insert into luna.audit (tenant_id, actor, act, object, detail) select 'default', 'jo', 'test', n::text, '{"a": [1, null]}' from generate_series(1, 3000) n`,
  );
  const audit = 'select id, hash, detail::text from luna.audit order by id';
  const before = await asked(from.super_url, audit);
  const steps: string[] = [];
  const facts = await moveTables(owner(from), owner(to), (_done, _total, table) => steps.push(table));
  expect(facts['luna.audit']?.rows).toBe(3000);
  expect(steps.indexOf('tenant')).toBeLessThan(steps.indexOf('audit'));
  expect(await asked(to.super_url, audit)).toEqual(before);
  expect(await asked(to.super_url, `select name from luna.tenant`)).toEqual([['Müller & "Co" \\ 🌱']]);

  // Row-level security binds the owner again, on both sides, and the next number is a new one.
  for (const { super_url } of [from, to])
    expect(
      await asked(
        super_url,
        `select count(*) from pg_class where relnamespace = 'luna'::regnamespace and relrowsecurity and not relforcerowsecurity`,
      ),
    ).toEqual([['0']]);
  const [[next]] = (await asked(
    to.super_url,
    `insert into luna.audit (tenant_id, actor, act, object, detail) values ('default', 'jo', 'after', '', '{}') returning id`,
  )) as [[string]];
  expect(Number(next)).toBeGreaterThan(Number(before.at(-1)?.[0]));
  // It runs again from the beginning, for nobody has set the target up.
  await moveTables(owner(from), owner(to), () => {});
  expect(await asked(to.super_url, audit)).toEqual(before);

  // With people in it too, as long as it is what was moved: an interrupted move goes on behind its tables.
  await asked(
    from.super_url,
    `insert into luna.person (tenant_id, login, name, role, password_hash) values ('default', 'ada', 'Ada', 'admin', 'x')`,
  );
  await moveTables(owner(from), owner(to), () => {});
  const again = await moveTables(owner(from), owner(to), () => {});
  expect(again['luna.person']?.rows).toBe(1);
  await asked(to.super_url, `update luna.person set name = 'Eve'`);
  await expect(moveTables(owner(from), owner(to), () => {})).rejects.toThrow(/holds people already/);

  const used = await migrated();
  await asked(
    used.super_url,
    `insert into luna.tenant (id, name) values ('default', 'theirs') on conflict do nothing;
     insert into luna.person (tenant_id, login, name, role, password_hash) values ('default', 'jo', 'Jo', 'admin', 'x')`,
  );
  await expect(moveTables(owner(from), owner(used), () => {})).rejects.toThrow(InvalidDataError);
  expect(await asked(used.super_url, 'select count(*) from luna.audit')).toEqual([['0']]);
}, 240_000);
