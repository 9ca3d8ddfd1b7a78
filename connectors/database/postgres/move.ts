/**
 * All tables of one Postgres into another, in one transaction there: after an interruption nothing is in the target.
 * Counts and digests are compared before it is committed. The job queue is not carried: it is made anew.
 */
import pg from 'pg';
import { ConfigError, InvalidDataError } from '../../../engine/errors.ts';
import type { TableFacts } from '../../../engine/ports.ts';
import { type Connection, SCHEMA } from './connection.ts';
import { asOwner } from './migrate.ts';
import { tableFacts } from './table-facts.ts';

/** Each database has its own: which migrations it has, and what seals its transactions. */
const OWN = new Set(['migration', 'tenant_key']);
const PAGE_ROWS = 2000;

export type TableProgress = (done: number, total: number, table: string) => void;

/**
 * @param from owner (or superuser) of the source; no box runs on either
 * @param to owner of the target, whose migrations are the same
 * @returns rows and digest of every table
 * @throws ConfigError for other migrations, InvalidDataError for a target that holds data or reads back otherwise
 */
export function moveTables(from: Connection, to: Connection, progress: TableProgress): Promise<TableFacts> {
  return asOwner(from, (source) =>
    asOwner(to, async (target) => {
      await refuseOther(source, target);
      const tables = await inOrder(target);
      // Row-level security binds owners too: it is lifted within each transaction, and set again at its end.
      await source.query('begin');
      await unforce(source, tables);
      await target.query('begin');
      try {
        await unforce(target, tables);
        if (await isUsed(target)) return await movedBefore(source, target);
        for (const table of [...tables].reverse()) await target.query(`delete from ${quoted(table)}`);
        for (const [index, table] of tables.entries()) {
          await copyTable(source, target, table);
          progress(index + 1, tables.length, table);
        }
        const facts = await compared(source, target);
        await force(target, tables);
        await target.query('commit');
        return facts;
      } catch (error) {
        await target.query('rollback').catch(() => {});
        throw error;
      } finally {
        await source.query('rollback').catch(() => {});
      }
    }),
  );
}

async function refuseOther(source: pg.Client, target: pg.Client): Promise<void> {
  const names = async (client: pg.Client) =>
    (await client.query<{ name: string }>(`select name from ${SCHEMA}.migration order by name`)).rows
      .map(({ name }) => name)
      .join();
  if ((await names(source)) !== (await names(target)))
    throw new ConfigError('The two databases have other migrations.', 'Start this version of the box on both once.');
}

/** A box that was started once has its organisation and audit entries; one that was set up has people. */
async function isUsed(target: pg.Client): Promise<boolean> {
  const { rows } = await target.query<{ n: number }>(`select count(*) as n from ${SCHEMA}.person`);
  return Number(rows[0]?.n) > 0;
}

/** A move that was interrupted behind its tables goes on: they are there. @throws InvalidDataError for any others */
async function movedBefore(source: pg.Client, target: pg.Client): Promise<TableFacts> {
  try {
    return await compared(source, target);
  } catch (error) {
    if (!(error instanceof InvalidDataError)) throw error;
    throw new InvalidDataError(
      'The target database holds people already, and not what is to be moved.',
      'Move into one that nobody has set up.',
    );
  } finally {
    await target.query('rollback');
  }
}

/** Tables before those that refer to them. */
async function inOrder(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; needs: string[] }>(
    `select c.relname as name, array_remove(array_agg(distinct r.relname::text), null) as needs
     from pg_class c left join pg_constraint k on k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid
       left join pg_class r on r.oid = k.confrelid
     where c.relnamespace = $1::regnamespace and c.relkind = 'r' group by 1 order by 1`,
    [SCHEMA],
  );
  const left = new Map(rows.filter(({ name }) => !OWN.has(name)).map(({ name, needs }) => [name, needs]));
  const ordered: string[] = [];
  while (left.size > 0) {
    const [next] = [...left].find(([, needs]) => needs.every((name) => !left.has(name))) ?? [];
    if (next === undefined)
      throw new InvalidDataError(`Tables refer to each other in a circle: ${[...left.keys()].join(', ')}.`);
    ordered.push(next);
    left.delete(next);
  }
  return ordered;
}

const unforce = (client: pg.Client, tables: readonly string[]) => alter(client, tables, 'no force', 'disable');
const force = (client: pg.Client, tables: readonly string[]) => alter(client, tables, 'force', 'enable');

/** Triggers that write (the audit chain) must not run over rows that are as they were written. */
async function alter(client: pg.Client, tables: readonly string[], forced: string, triggers: string): Promise<void> {
  for (const table of tables) {
    const { rows } = await client.query<{ secured: boolean }>(
      'select relrowsecurity as secured from pg_class where oid = $1::regclass',
      [quoted(table)],
    );
    if (rows[0]?.secured) await client.query(`alter table ${quoted(table)} ${forced} row level security`);
    await client.query(`alter table ${quoted(table)} ${triggers} trigger user`);
  }
}

/** Rows as JSON, which every type of ours passes through unchanged. */
async function copyTable(source: pg.Client, target: pg.Client, table: string): Promise<void> {
  const insert = await insertOf(target, table);
  const refersToItself = await hasOwnReference(target, table);
  await source.query(`declare moved no scroll cursor for select row_to_json(t)::text as row from ${quoted(table)} t`);
  try {
    for (;;) {
      const { rows } = await source.query<{ row: string }>(`fetch ${refersToItself ? 'all' : PAGE_ROWS} from moved`);
      if (rows.length === 0) break;
      await target.query(insert, [`[${rows.map(({ row }) => row).join(',')}]`]);
    }
  } finally {
    await source.query('close moved').catch(() => {});
  }
  await setSequences(target, table);
}

async function insertOf(client: pg.Client, table: string): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped
       and attgenerated = '' order by attnum`,
    [quoted(table)],
  );
  const columns = rows.map(({ name }) => pg.escapeIdentifier(name)).join(', ');
  return `insert into ${quoted(table)} (${columns}) overriding system value
    select ${columns} from json_populate_recordset(null::${quoted(table)}, $1::json)`;
}

async function hasOwnReference(client: pg.Client, table: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `select from pg_constraint where conrelid = $1::regclass and confrelid = conrelid and contype = 'f'`,
    [quoted(table)],
  );
  return (rowCount ?? 0) > 0;
}

/** Numbers that were given out are not given out again. */
async function setSequences(client: pg.Client, table: string): Promise<void> {
  const { rows } = await client.query<{ name: string; sequence: string }>(
    `select attname as name, pg_get_serial_sequence($1, attname) as sequence from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped and (attidentity <> '' or atthasdef)`,
    [quoted(table)],
  );
  for (const { name, sequence } of rows.filter((row) => row.sequence))
    await client.query(
      `select setval($1, greatest((select coalesce(max(${pg.escapeIdentifier(name)}), 0) from ${quoted(table)}), 1))`,
      [sequence],
    );
}

async function compared(source: pg.Client, target: pg.Client): Promise<TableFacts> {
  const [stated, found] = [await tableFacts(source), await tableFacts(target)];
  for (const name of OWN) for (const facts of [stated, found]) delete facts[`${SCHEMA}.${name}`];
  const wrong = Object.keys(stated).filter(
    (table) => stated[table]?.rows !== found[table]?.rows || stated[table]?.hash !== found[table]?.hash,
  );
  if (wrong.length > 0)
    throw new InvalidDataError(
      `The target does not hold what was copied: ${wrong.join(', ')}.`,
      'Nothing was kept there. Do both databases have the same encoding?',
    );
  return stated;
}

const quoted = (table: string) => `${SCHEMA}.${pg.escapeIdentifier(table)}`;
