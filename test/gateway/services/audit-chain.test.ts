import { createHash, createPublicKey, verify as verifySignature } from 'node:crypto';
import { appendFile, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { auditKeyFile } from '../../../gateway/auth/audit-key.ts';
import { createAuditService, writeAudit } from '../../../gateway/services/audit.ts';
import { createAuditChainService } from '../../../gateway/services/audit-chain-service.ts';
import { auditHeadFile, readHeadFile } from '../../../gateway/services/audit-head-file.ts';
import { createAuditHeads } from '../../../gateway/services/audit-heads.ts';
import { verifyAudit } from '../../../gateway/services/audit-verify.ts';
import type { Actor } from '../../../gateway/services.ts';
import { run } from '../../bench/audit.bench.ts';
import { openTestDatabase, silent, type TestDatabase } from '../../setup/database.ts';

const anna: Actor = { tenant: 'acme', person: 'anna', role: 'admin', language: 'en' };
const zoe: Actor = { ...anna, tenant: 'zoo', person: 'zoe' };

describe('audit log as a chain', () => {
  let test: TestDatabase;
  let owner: pg.Client;
  const tenants = () => ['acme', 'zoo'];
  const audit = () => createAuditService(test);
  const heads = () => createAuditHeads({ db: test.db, home: test.home, clock: Date, log: silent, tenants });
  const check = (tenant = 'acme') => verifyAudit({ db: test.db, home: test.home, tenant });
  const write = async (entries: number, actor = anna) => {
    for (let i = 1; i <= entries; i++) await audit().record(actor, 'change site', `object ${i}`, { i });
  };
  const raised = new Map<string, unknown>();
  const open = () =>
    createAuditChainService({
      ...{ db: test.db, clock: Date, log: silent, config: { home: test.home }, tenants },
      alerts: {
        raise: async (tenant, kind, _object, _severity, detail) => void raised.set(`${tenant} ${kind}`, detail),
        clear: async (tenant, kind) => void raised.delete(`${tenant} ${kind}`),
      },
    });
  const fileText = () => readFile(auditHeadFile(test.home), 'utf8');

  beforeAll(async () => {
    test = await openTestDatabase();
    owner = new pg.Client({ host: join(test.home, 'postgres'), port: 5432, user: 'postgres', database: 'luna' });
    await owner.connect();
    await owner.query('set search_path = luna');
    for (const tenant of tenants())
      await test.db.asSystem((sql) => sql('insert into tenant (id, name) values ($1, $1)', [tenant]));
  });
  afterAll(async () => {
    await owner?.end();
    await test?.close();
  });
  beforeEach(async () => {
    await owner.query('truncate audit, audit_head');
    await rm(auditHeadFile(test.home), { force: true });
  });

  it('has no gap, fork or missing entry after 120 writers at once, of which some take their act back', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 120 }, (_, i) =>
        test.db.asTenant(i % 3 === 0 ? 'zoo' : 'acme', async (sql) => {
          await writeAudit(sql, i % 3 === 0 ? zoe : anna, 'change site', `${i}`);
          if (i % 10 === 4) throw new Error('taken back');
        }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(12);
    const states = await Promise.all([check('acme'), check('zoo')]);
    expect(states.map(({ fault }) => fault)).toEqual([null, null]);
    expect(states[0]!.entries + states[1]!.entries).toBe(108);
    expect(states.map(({ last, entries }) => last?.id === entries)).toEqual([true, true]);
  });

  it('lets the box neither choose a hash, number or time, nor change or remove an entry', async () => {
    await write(2);
    await test.db.asTenant('acme', (sql) =>
      sql(
        `insert into audit (tenant_id, id, at, actor, act, object, hash) values ('acme', 1, '2001-01-01', 'x', 'y', 'z', 'h')`,
      ),
    );
    expect(await check()).toMatchObject({ entries: 3, fault: null });
    const [entry] = await audit().list('acme', { limit: 1 });
    expect(entry).toMatchObject({ id: 3, actor: 'x' });
    expect(Math.abs(entry!.at_ms - Date.now())).toBeLessThan(60_000);
    for (const statement of [`update audit set act = 'x'`, 'delete from audit'])
      await expect(test.db.asTenant('acme', (sql) => sql(statement))).rejects.toThrow(/denied/);
    const tenant = test.db.asSystem((sql) => sql(`delete from tenant where id = 'acme'`));
    await expect(tenant).rejects.toThrow(/violates RESTRICT/);
    expect(await check()).toMatchObject({ entries: 3, fault: null });
  });

  it('finds a seeded sample of edits, drops, insertions, reorders and cuts', async () => {
    expect(await run({ mutations: '216', seed: String(Date.now() % 1000), entries: '25' }, () => {})).toMatchObject({
      mutations: 216,
      found: 216,
      missed: 0,
    });
  }, 60_000);

  it.each([
    [`update audit set object = 'x' where id = 7`, 7, /^Entry 7 \(.*anna: change site x\) is not as it was written\.$/],
    [`update audit set hash = repeat('0', 64) where id = 3`, 3, /^Entry 3 .* is not as it was written/],
    ['delete from audit where id between 4 and 6', 4, /^Entries 4 to 6 are missing\.$/],
    ['delete from audit where id > 9', 10, /^Entries 10 to 12 are missing\. The box signed entry 12 on /],
    ['delete from audit', 1, /^Entries 1 to 12 are missing/],
  ])('says in words which entry is the first wrong one: %s', async (statement, entry, words) => {
    await write(12);
    await heads().sign('acme');
    expect(await check()).toMatchObject({ entries: 12, signed: { id: 12 }, fault: null });
    await owner.query(statement);
    const { fault } = await check();
    expect(fault).toMatchObject({ entry, problem: expect.stringMatching(words) });
  });

  it('names the entries between two signatures where a forger hashed everything anew', async () => {
    await write(5);
    const signing = heads();
    await signing.sign('acme');
    await write(4);
    await signing.sign('acme');
    await owner.query(`do $$ declare e record; former text := ''; begin
      update luna.audit set actor = 'nobody' where id = 7;
      for e in select * from luna.audit order by id loop
        former := luna.audit_hash('acme', e.id, e.at, e.actor, e.act, e.object, e.detail, former);
        update luna.audit set hash = former where id = e.id; end loop; end $$`);
    expect((await check()).fault).toMatchObject({
      entry: 6,
      problem: expect.stringMatching(/^Entries 6 to 9 are not/),
    });
  });

  it('does not sign what does not continue the last signature', async () => {
    await write(5);
    const signing = heads();
    await signing.sign('acme');
    await owner.query('delete from audit where id >= 4');
    await write(4);
    await signing.sign('acme');
    const after = heads();
    await after.start();
    await after.stop();
    expect(await readHeadFile(test.home)).toHaveLength(1);
    expect((await check()).fault).not.toBeNull();
  });

  it('signs on the way to a long log, and again in database and file what a kill or a restore left out', async () => {
    await write(230);
    await heads().sign('acme');
    expect((await readHeadFile(test.home)).map(({ id }) => id)).toEqual([100, 200, 230]);
    await owner.query('delete from audit_head where id > 100');
    await appendFile(auditHeadFile(test.home), '{"tenant":"acme","id":2');
    const signing = heads();
    await signing.start();
    await write(1, zoe);
    await signing.stop();
    const { rows } = await owner.query('select tenant_id, id from audit_head order by tenant_id, id');
    expect(rows.map((row) => `${row.tenant_id} ${row.id}`)).toEqual(['acme 100', 'acme 200', 'acme 230', 'zoo 1']);
    await rm(auditHeadFile(test.home));
    expect(await check()).toMatchObject({ signed: { id: 230 }, fault: null });
    const again = heads();
    await again.start();
    await again.stop();
    expect((await readHeadFile(test.home)).map(({ id }) => id)).toEqual([100, 200, 230, 1]);
    expect((await stat(auditKeyFile(test.home))).mode & 0o777).toBe(0o600);
    expect((await stat(auditHeadFile(test.home))).mode & 0o077).toBe(0);
  });

  it('takes a signature of another key for what it is', async () => {
    await write(3);
    await heads().sign('acme');
    const text = await fileText();
    await writeFile(auditHeadFile(test.home), text.replace(/"signature":"../, '"signature":"AA'));
    expect((await check()).fault?.problem).toMatch(/signature over entry 3 is not of this box/);
  });

  describe('whose key was lost', () => {
    const admin: Actor = { ...anna, person: 'command line' };
    /** Signed by one key, which is gone; another has signed since. */
    const lose = async () => {
      await heads().sign('acme');
      await rm(auditKeyFile(test.home));
      await write(2);
      await heads().sign('acme');
    };

    it('says so, accepts the new key with an entry, and from then on still tells which entries the old one signed', async () => {
      await write(4);
      await lose();
      const { fault } = await check();
      expect(fault).toMatchObject({ entry: 4, other_keys: { through: 4 } });
      expect(fault?.problem).toMatch(/^Entries up to 4 were signed with another key .*luna audit accept-key/);
      const chain = open();
      await chain.verify('acme');
      expect(raised.has('acme audit_broken')).toBe(true);
      const state = await chain.acceptKeys(admin);
      expect(raised.has('acme audit_broken')).toBe(false);
      const accepted = { entry: 7, actor: 'command line', through: 4, former_keys: fault!.other_keys!.key_ids };
      expect(state).toMatchObject({ entries: 7, signed: { id: 7 }, fault: null, accepted });
      expect((await audit().list('acme', { limit: 1 }))[0]).toMatchObject({ act: 'accept audit key', id: 7 });
      expect(await chain.acceptKeys(admin)).toBeNull();
      // Again, with the key that accepted: the next one has to answer for both.
      await lose();
      expect((await check()).fault?.other_keys?.key_ids).toHaveLength(2);
      expect(await open().acceptKeys(admin)).toMatchObject({ fault: null, accepted: { entry: 10, through: 7 } });
    });

    it('does not launder what was changed, cut off or signed by strangers', async () => {
      await write(6);
      await lose();
      await owner.query('begin');
      await owner.query(`update audit set act = 'nothing' where id = 3`);
      await owner.query('commit');
      await expect(open().acceptKeys(admin)).rejects.toThrow(/Entry 3 .*not as it was written/);
      await owner.query(`update audit set act = 'change site' where id = 3`);
      await open().acceptKeys(admin);
      expect(await check()).toMatchObject({ fault: null, accepted: { through: 6 } });
      await owner.query(`update audit set object = 'x' where id = 2`);
      expect((await check()).fault).toMatchObject({ entry: 2 });
      await owner.query(`update audit set object = 'object 2' where id = 2`);
      // A later head of the accepted key: somebody has it.
      const [old] = (await readHeadFile(test.home)).filter(({ id }) => id === 6);
      await appendFile(auditHeadFile(test.home), `${JSON.stringify({ ...old!, id: 8 })}\n`);
      expect((await check()).fault).not.toBeNull();
    });

    it('cannot be accepted by somebody who has only the database', async () => {
      await write(3);
      await lose();
      const detail = {
        former_keys: (await check()).fault!.other_keys!.key_ids,
        through: 3,
        sealed: 'x',
        acceptance: 'eA',
      };
      await test.db.asTenant('acme', (sql) => writeAudit(sql, admin, 'accept audit key', 'k', detail));
      await heads().sign('acme');
      expect((await check()).fault?.other_keys).toMatchObject({ through: 3 });
    });
  });

  it('raises an alert when it was changed from outside, and clears it when it is whole again', async () => {
    await write(3);
    const chain = open();
    expect((await chain.verify('acme')).fault).toBeNull();
    expect(raised.size).toBe(0);
    const change = (act: string) => owner.query(`update audit set act = $1 where tenant_id = 'acme' and id = 2`, [act]);
    await change('something else');
    await chain.verify('acme');
    expect(raised.get('acme audit_broken')).toMatchObject({ problem: expect.stringMatching(/2/) });
    await change('change site');
    await chain.verify('acme');
    expect(raised.size).toBe(0);
  });

  it('can be verified elsewhere from its export', async () => {
    await audit().record(anna, 'änderte "site"', 'ß\u2028\u0007', { a: [1.5, null], ü: '😀\\' });
    await write(3);
    const chain = open();
    let text = '';
    for await (const lines of chain.export('acme')) text += lines;
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    let former = '';
    for (const { tenant, id, at, actor, act, object, detail, hash } of lines.filter(({ kind }) => kind === 'entry')) {
      former = createHash('sha256')
        .update(JSON.stringify([tenant, id, at, actor, act, object, detail, former]))
        .digest('hex');
      expect(hash).toBe(former);
    }
    const key = createPublicKey(lines.find(({ kind }) => kind === 'key').public_key);
    const signed = lines.filter(({ kind }) => kind === 'head');
    expect(signed).toHaveLength(1);
    const { tenant, id, hash, at, key_id, signature } = signed[0];
    expect([id, hash]).toEqual([4, former]);
    const bytes = Buffer.from(JSON.stringify(['luna audit head', tenant, id, hash, at, key_id]));
    expect(verifySignature(null, bytes, key, Buffer.from(signature, 'base64url'))).toBe(true);
  });
});
