/** What somebody with all rights in the database, and in part the file of heads, might do to an audit log. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { Sql } from '../../../engine/ports.ts';
import { type AuditHead, createAuditKey } from '../../../gateway/auth/audit-key.ts';

/** Draws from 0 up to, and without, `n`. */
export type Draw = (n: number) => number;
export type Forger = {
  sql: Sql;
  draw: Draw;
  tenant: string;
  /** Number of entries; their ids run from 1. */
  entries: number;
  /** The heads of the file; a mutation may cut them. */
  heads: AuditHead[];
};
export type Mutation = { name: string; apply(forger: Forger): Promise<void> };

const anyId = ({ draw, entries }: Forger) => 1 + draw(entries);
/** One that is not the last. */
const innerId = ({ draw, entries }: Forger) => 1 + draw(entries - 1);

function edit(column: string, change: (draw: Draw) => string): Mutation {
  return {
    name: `edit ${column}`,
    apply: async (forger) => {
      const value = change(forger.draw);
      await forger.sql(`update audit set ${column} = ${value} where id = $1`, [anyId(forger)]);
    },
  };
}

/** Hashes from an entry on as the forger would need them. */
async function rehash({ sql, tenant }: Forger, from: number): Promise<void> {
  await sql(
    `do $$
    declare entry record; former text;
    begin
      select coalesce((select hash from audit where id < ${from} order by id desc limit 1), '') into former;
      for entry in select * from audit where id >= ${from} order by id loop
        former := audit_hash('${tenant}', entry.id, entry.at, entry.actor, entry.act, entry.object, entry.detail, former);
        update audit set hash = former where id = entry.id;
      end loop;
    end $$`,
  );
}

/** Moves the ids of what stands after `id`, over large ones, since they are unique at every moment. */
async function shift(sql: Sql, id: number, by: 1 | -1): Promise<void> {
  await sql('update audit set id = id + 1000000 where id > $1', [id]);
  await sql('update audit set id = id - 1000000 + $2 where id > 1000000 + $1', [id, by]);
}

const insertAt = ({ sql, tenant }: Forger, id: number) =>
  sql(
    `insert into audit (tenant_id, id, at, actor, act, object, detail, hash)
      values ($1, $2, now(), 'anna', 'change site', 'works', '{}', repeat('a', 64))`,
    [tenant, id],
  );

async function swap(sql: Sql, a: number, b: number): Promise<void> {
  await sql('update audit set id = -1 where id = $1', [a]);
  await sql('update audit set id = $1 where id = $2', [a, b]);
  await sql('update audit set id = $1 where id = -1', [b]);
}

export const MUTATIONS: readonly Mutation[] = [
  edit('at', (draw) => `at + interval '${draw(2) ? '' : '-'}${1 + draw(1000)} milliseconds'`),
  edit('at', () => `at + interval '1 microsecond'`),
  edit('actor', () => `actor || ' '`),
  edit('act', () => `'sign in' || act`),
  edit('object', (draw) => `substr(object, 1, ${draw(3)}) || 'x'`),
  edit('detail', (draw) => `detail || '{"n": ${-1 - draw(100)}}'`),
  edit('detail', () => `detail - 'from' - 'n' || '{"ß": null}'`),
  edit(
    'hash',
    (draw) =>
      `overlay(hash placing case when substr(hash, 5, 1) = 'a' then 'b' else 'a' end from 5) || repeat('', ${draw(2)})`,
  ),
  {
    name: 'edit and hash everything anew',
    apply: async (forger) => {
      const id = anyId(forger);
      await forger.sql(`update audit set actor = 'nobody' where id = $1`, [id]);
      await rehash(forger, id);
    },
  },
  {
    name: 'drop',
    apply: async (forger) => void (await forger.sql('delete from audit where id = $1', [anyId(forger)])),
  },
  {
    name: 'drop and close the gap',
    apply: async (forger) => {
      const id = innerId(forger);
      await forger.sql('delete from audit where id = $1', [id]);
      await shift(forger.sql, id, -1);
    },
  },
  {
    name: 'drop, close the gap and hash everything anew',
    apply: async (forger) => {
      const id = innerId(forger);
      await forger.sql('delete from audit where id = $1', [id]);
      await shift(forger.sql, id, -1);
      await rehash(forger, id);
    },
  },
  {
    name: 'reorder',
    apply: async (forger) => {
      const id = innerId(forger);
      await swap(forger.sql, id, id + 1);
    },
  },
  {
    name: 'reorder and hash everything anew',
    apply: async (forger) => {
      const id = innerId(forger);
      await swap(forger.sql, id, id + 1);
      await rehash(forger, id);
    },
  },
  {
    name: 'put in',
    apply: async (forger) => {
      const id = innerId(forger);
      await shift(forger.sql, id, 1);
      await insertAt(forger, id + 1);
    },
  },
  {
    name: 'put in and hash everything anew',
    apply: async (forger) => {
      const id = innerId(forger);
      await shift(forger.sql, id, 1);
      await insertAt(forger, id + 1);
      await rehash(forger, id + 1);
    },
  },
  { name: 'put in before the first', apply: async (forger) => void (await insertAt(forger, -forger.draw(3))) },
  {
    name: 'put in at the end without its hash',
    apply: async (forger) => void (await insertAt(forger, forger.entries + 1 + forger.draw(3))),
  },
  {
    name: 'cut the end',
    apply: async (forger) => void (await forger.sql('delete from audit where id >= $1', [anyId(forger)])),
  },
  {
    name: 'cut the end and its heads in the database',
    apply: async (forger) => {
      const id = anyId(forger);
      await forger.sql('delete from audit where id >= $1', [id]);
      await forger.sql('delete from audit_head where id >= $1', [id]);
    },
  },
  {
    name: 'cut the end and its heads in the file',
    apply: async (forger) => {
      const id = anyId(forger);
      await forger.sql('delete from audit where id >= $1', [id]);
      forger.heads = forger.heads.filter((head) => head.id < id);
    },
  },
  {
    name: 'cut the beginning and hash everything anew',
    apply: async (forger) => {
      const id = innerId(forger);
      await forger.sql('delete from audit where id <= $1', [id]);
      await forger.sql('update audit set id = id + 1000000');
      await forger.sql('update audit set id = id - 1000000 - $1', [id]);
      await rehash(forger, 1);
    },
  },
  {
    name: 'empty the log and all its heads in the database',
    apply: async ({ sql }) => {
      await sql('delete from audit');
      await sql('delete from audit_head');
    },
  },
  {
    name: 'put another log and heads of another key in the place of all',
    apply: async (forger) => {
      const { sql, tenant } = forger;
      await sql(`update audit set actor = 'anna', detail = '{}'`);
      await rehash(forger, 1);
      await sql('delete from audit_head');
      const [last] = await sql<{ id: number; hash: string }>('select id, hash from audit order by id desc limit 1');
      const { privateKey } = generateKeyPairSync('ed25519');
      const key = createAuditKey(createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' })));
      const { id, hash, at, key_id, signature } = key.sign({ tenant, ...last!, at: new Date().toISOString() });
      await sql('insert into audit_head (tenant_id, id, hash, at, key_id, signature) values ($1, $2, $3, $4, $5, $6)', [
        tenant,
        id,
        hash,
        at,
        key_id,
        signature,
      ]);
    },
  },
  {
    name: 'edit, hash everything anew, and change the heads to fit',
    apply: async (forger) => {
      const id = anyId(forger);
      await forger.sql(`update audit set act = 'nothing' where id = $1`, [id]);
      await rehash(forger, id);
      await forger.sql('update audit_head set hash = (select hash from audit where audit.id = audit_head.id)');
    },
  },
];
