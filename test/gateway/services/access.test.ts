import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NotAllowedError, TooManyTriesError } from '../../../engine/errors.ts';
import { createVault } from '../../../gateway/auth/vault.ts';
import { createAccessService } from '../../../gateway/services/access.ts';
import { createAuditService } from '../../../gateway/services/audit.ts';
import { createSiteService } from '../../../gateway/services/site.ts';
import type { AccessService, Actor, Person } from '../../../gateway/services.ts';
import { openTestDatabase, silent, type TestDatabase } from '../../setup/database.ts';

const boss: Actor = { tenant: 'default', person: 'command line', role: 'admin', language: 'en' };
const PASSWORD = 'correct horse battery';
const vault = createVault(randomBytes(32));
const HOUR_MS = 3_600_000;

describe('access service', () => {
  let test: TestDatabase;
  let access: AccessService;
  let anna: Person;
  const clock = { now_ms: Date.now(), now: () => clock.now_ms };
  const open = () =>
    createAccessService({ ...test, clock, log: silent, vault, config: { home: test.home, session_hours: 14 * 24 } });
  const add = (login: string, role: 'admin' | 'user' = 'user') =>
    access.addPerson(boss, { login, name: login, role, password: PASSWORD });
  beforeAll(async () => {
    test = await openTestDatabase();
    await createSiteService(test).start();
    await test.db.asSystem((sql) => sql(`insert into tenant (id, name) values ('other', 'Other')`));
  });
  afterAll(() => test.close());
  beforeEach(async () => {
    await test.db.asTenant('default', async (sql) => {
      await sql('delete from person');
      await sql('delete from api_key');
      await sql('delete from directory');
    });
    access = open();
    anna = await add('Anna', 'admin');
  });

  it('signs in, out, and remembers the session over a restart', async () => {
    const { token, session } = await access.signIn(' ANNA ', PASSWORD, '10.0.0.1');
    expect(session).toMatchObject({ actor: { tenant: 'default', person: 'anna', role: 'admin' }, name: 'Anna' });
    expect(session.csrf).toMatch(/^[\w-]{43}$/);
    expect(await open().session(token)).toEqual(session);
    await access.signOut(token);
    expect(await access.session(token)).toBeNull();
    expect(await open().session(token)).toBeNull();
  });

  it('signs out by the hash that a session carries', async () => {
    const { token, session } = await access.signIn('anna', PASSWORD, '10.0.0.1');
    await access.signOut(session.token_sha256);
    expect(await access.session(token)).toBeNull();
  });

  it('keeps no secret in the database', async () => {
    const { token } = await access.signIn('anna', PASSWORD, '10.0.0.1');
    const { key } = await access.createKey(boss, 'export', 'analyst');
    const everything = await test.db.asTenant('default', async (sql) =>
      JSON.stringify([
        ...(await sql('select * from person')),
        ...(await sql('select * from session')),
        ...(await sql('select * from api_key')),
        ...(await sql('select * from directory')),
        ...(await sql('select * from audit')),
      ]),
    );
    for (const secret of [PASSWORD, token, key]) expect(everything).not.toContain(secret);
  });

  it('refuses an unknown login, a wrong password and a disabled person in the same words', async () => {
    const bert = await add('bert');
    await access.changePerson(boss, bert.id, { disabled: true });
    const tries = [
      access.signIn('nobody', PASSWORD, '10.0.0.1'),
      access.signIn('anna', 'wrong password', '10.0.0.1'),
      access.signIn('bert', PASSWORD, '10.0.0.1'),
      access.signIn('', '', '10.0.0.1'),
    ].map((attempt) => attempt.catch((error: Error) => error));
    const errors = await Promise.all(tries);
    for (const error of errors) expect(error).toBeInstanceOf(NotAllowedError);
    expect(new Set(errors.map((error) => (error as Error).message)).size).toBe(1);
  });

  it('stops a guesser, not the owner', async () => {
    for (let i = 0; i < 10; i++) await access.signIn('anna', `guess ${i} wrong`, '6.6.6.6').catch(() => null);
    await expect(access.signIn('anna', PASSWORD, '6.6.6.6')).rejects.toThrow(TooManyTriesError);
    // A new browser of the owner waits as strangers do, one that was let in before does not.
    await expect(access.signIn('anna', PASSWORD, '10.0.0.1')).rejects.toThrow(TooManyTriesError);
    clock.now_ms += 15 * 60_000;
    const { device } = await access.signIn('anna', PASSWORD, '10.0.0.1');
    for (let i = 0; i < 10; i++) await access.signIn('anna', `guess ${i} wrong`, '6.6.6.6').catch(() => null);
    await access.signIn('anna', PASSWORD, '6.6.6.6', device);
    await expect(access.signIn('anna', PASSWORD, '6.6.6.6', `${device}x`)).rejects.toThrow(TooManyTriesError);
  });

  it('admits no more than the free tries when all come at once', async () => {
    const tries = Array.from({ length: 12 }, (_, i) => access.signIn('anna', `guess ${i} wrong`, '7.7.7.7'));
    const outcomes = (await Promise.allSettled(tries)).map((o) => (o as PromiseRejectedResult).reason as Error);
    expect(outcomes.filter((error) => error instanceof TooManyTriesError)).toHaveLength(2);
  });

  it('ends a session after three days without use, and after its hours with use', async () => {
    const idle = await access.signIn('anna', PASSWORD, '10.0.0.1');
    const used = await access.signIn('anna', PASSWORD, '10.0.0.1');
    for (let day = 0; day < 4; day++) {
      clock.now_ms += 24 * HOUR_MS;
      expect(await access.session(used.token)).not.toBeNull();
    }
    expect(await access.session(idle.token)).toBeNull();
    for (let day = 4; day < 15; day++) {
      clock.now_ms += 24 * HOUR_MS;
      await access.session(used.token);
    }
    expect(await access.session(used.token)).toBeNull();
    await access.signIn('anna', PASSWORD, '10.0.0.1');
    const left = await test.db.asSystem((sql) => sql(`select from directory where kind = 'session'`));
    expect(left).toHaveLength(1);
  });

  it.each<[string, Parameters<AccessService['changePerson']>[2]]>([
    ['a new password', { password: 'another good one' }],
    ['disabling', { disabled: true }],
    ['a new role', { role: 'analyst' }],
  ])('ends sessions and tokens at once by %s', async (_, change) => {
    const bert = await add('bert');
    const { token, session } = await access.signIn('bert', PASSWORD, '10.0.0.1');
    const jwt = await access.issueToken(session.actor);
    expect(await access.bearer(jwt.token)).toMatchObject({ person: 'bert', role: 'user' });
    await access.changePerson(boss, bert.id, change);
    expect(await access.session(token)).toBeNull();
    expect(await access.bearer(jwt.token)).toBeNull();
  });

  it('shows a new language in sessions and tokens at once', async () => {
    const bert = await add('bert');
    const { token, session } = await access.signIn('bert', PASSWORD, '10.0.0.1');
    const jwt = await access.issueToken(session.actor);
    await access.bearer(jwt.token);
    await access.changePerson(boss, bert.id, { role: 'user', language: 'de' });
    expect((await access.session(token))?.actor).toMatchObject({ role: 'user', language: 'de' });
    expect(await access.bearer(jwt.token)).toMatchObject({ language: 'de' });
  });

  it('never leaves a tenant without an admin', async () => {
    await expect(access.removePerson(boss, anna.id)).rejects.toThrow(/last admin/);
    await expect(access.changePerson(boss, anna.id, { role: 'user' })).rejects.toThrow(/last admin/);
    await expect(access.changePerson(boss, anna.id, { disabled: true })).rejects.toThrow(/last admin/);
    const bert = await add('bert', 'admin');
    let both: Promise<PromiseSettledResult<void>[]> = Promise.resolve([]);
    // Both have looked whether they may, or wait to look, when the rows become free.
    await test.db.asTenant('default', async (sql) => {
      await sql('select 1 from person for update');
      both = Promise.allSettled([access.removePerson(boss, anna.id), access.removePerson(boss, bert.id)]);
      await sleep(200);
    });
    expect((await both).map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('takes a login once per box, and again after its person is gone', async () => {
    const other = { ...boss, tenant: 'other' };
    const person = { login: 'ANNA', name: 'x', role: 'user', password: PASSWORD } as const;
    await expect(access.addPerson(other, person)).rejects.toThrow(/taken/);
    await add('bert', 'admin');
    await access.removePerson(boss, anna.id);
    expect((await access.addPerson(other, person)).login).toBe('anna');
    expect(await access.listPeople('default')).toHaveLength(1);
    await access.removePerson(other, (await access.listPeople('other'))[0]!.id).catch(() => null);
    await test.db.asTenant('other', (sql) => sql('delete from person'));
  });

  it('finds nobody of another tenant', async () => {
    const other = { ...boss, tenant: 'other' };
    await expect(access.changePerson(other, anna.id, { role: 'admin' })).rejects.toThrow(/no such person/);
    await expect(access.removePerson(other, anna.id)).rejects.toThrow(/no such person/);
    const { id } = await access.createKey(boss, 'export', 'analyst');
    await expect(access.revokeKey(other, id)).rejects.toThrow(/no such API key/);
    await expect(access.changePerson(boss, 'no-uuid', { role: 'admin' })).rejects.toThrow(/no such person/);
  });

  it('knows API keys and their tokens until they are revoked', async () => {
    const { id, key } = await access.createKey(boss, 'export', 'analyst');
    const twin = await access.createKey(boss, 'export', 'user');
    expect(key).toMatch(/^luna_[\w-]{43}$/);
    const actor = await access.bearer(key);
    expect(actor).toEqual({ tenant: 'default', person: 'key:export', role: 'analyst', language: 'en' });
    expect(await access.bearer(twin.key)).toMatchObject({ person: 'key:export 2', role: 'user' });
    const jwt = await access.issueToken(actor!);
    expect(await access.bearer(jwt.token)).toEqual(actor);
    await access.revokeKey(boss, id);
    expect(await access.bearer(key)).toBeNull();
    expect(await access.bearer(jwt.token)).toBeNull();
    expect((await access.listKeys('default')).map(({ name }) => name)).toEqual(['export 2']);
    await expect(access.revokeKey(boss, id)).rejects.toThrow(/no such API key/);
  });

  it('gives tokens of an hour that only this box can sign', async () => {
    const { session } = await access.signIn('anna', PASSWORD, '10.0.0.1');
    const { token, expires_ms } = await access.issueToken(session.actor);
    expect(expires_ms - clock.now_ms).toBeGreaterThan(HOUR_MS - 1001);
    const [head, body] = token.split('.');
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    const foreign = await new SignJWT({ tenant: 'default', kind: 'person', version: 0 })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer('luna')
      .setSubject(anna.id)
      .setExpirationTime('1h')
      .sign(new Uint8Array(32));
    for (const forged of [`${none}.${body}.`, `${head}.${body}.`, foreign, `${token}x`, 'luna_short', ''])
      expect(await access.bearer(forged)).toBeNull();
    expect(await open().bearer(token)).toMatchObject({ person: 'anna' });
    clock.now_ms += HOUR_MS + 1000;
    expect(await access.bearer(token)).toBeNull();
    await expect(access.issueToken(boss)).rejects.toThrow(NotAllowedError);
    expect(statSync(join(test.home, 'token-secret')).mode & 0o777).toBe(0o600);
  });

  it('has a set-up token until an admin has signed in, the same over restarts, and never again a broken one', async () => {
    const bert = await add('bert');
    await test.db.asTenant('default', (sql) => sql(`update person set role = 'user'`));
    const file = join(test.home, 'setup-token');
    expect(await access.needsSetup('default')).toBe(true);
    const made = await add('carl', 'admin');
    expect(await access.setupToken()).toMatch(/^[\w-]{43}$/);
    await test.db.asTenant('default', (sql) => sql('delete from person where id = $1', [made.id]));
    const [token, same] = await Promise.all([access.setupToken(), open().setupToken()]);
    expect(same).toBe(token);
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(await open().setupToken()).toBe(token);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    writeFileSync(file, '');
    expect(await access.setupToken()).toMatch(/^[\w-]{43}$/);
    await access.signIn('bert', PASSWORD, '10.0.0.1');
    expect(await access.setupToken()).toMatch(/^[\w-]{43}$/);
    await access.changePerson(boss, bert.id, { role: 'admin' });
    expect(await access.setupToken()).toBeNull();
    expect(await access.needsSetup('default')).toBe(false);
    expect(() => readFileSync(file)).toThrow(/ENOENT/);
  });

  it('writes down who did what, and no password', async () => {
    const bert = await add('bert');
    await access.changePerson(boss, bert.id, { password: 'another good one', role: 'analyst' });
    const entries = await createAuditService(test).list('default', { limit: 3 });
    expect(entries[0]).toMatchObject({
      ...{ actor: 'command line', act: 'change person', object: 'bert' },
      detail: { role: 'analyst', credential: 'new' },
    });
  });

  it.each([
    ['login', { login: 'a b' }],
    ['login', { login: '' }],
    ['name', { name: '' }],
    ['role', { role: 'boss' as never }],
    ['password', { password: 'short' }],
    ['language', { language: 'fr' as never }],
  ])('refuses a person with a bad %s', async (where, change) => {
    const person = { login: 'cleo', name: 'Cleo', role: 'user', password: PASSWORD, ...change } as const;
    await expect(access.addPerson(boss, person)).rejects.toMatchObject({ faults: [{ where }] });
  });
});
