/** Sign-in, account and second factor through the pages and the API, with the real access service on a real database. */
import { generate } from 'otplib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WINDOW_MS } from '../../../gateway/auth/attempts.ts';
import type { AccessService, Person } from '../../../gateway/services/access.ts';
import { createAuditService } from '../../../gateway/services/audit.ts';
import type { Actor } from '../../../gateway/services.ts';
import { openTestDatabase, type TestDatabase } from '../../setup/database.ts';
import { openSignIn, PASSWORD, STEP_MS } from './sign-in-rig.ts';

const boss: Actor = { tenant: 'default', person: 'command line', role: 'admin', language: 'en' };

describe('signing in', () => {
  let test: TestDatabase;
  let access: AccessService;
  let anna: Person;
  let bert: Person;
  const rig = openSignIn(() => test);
  const { clock, openBrowser, isSignedIn, codeOf, setUpCode } = rig;

  beforeAll(async () => {
    test = await openTestDatabase();
    await test.db.asSystem((sql) => sql(`insert into tenant (id, name) values ('default', 'x')`));
  });
  afterAll(() => test?.close());
  beforeEach(async () => {
    clock.now_ms += 10 * WINDOW_MS;
    await test.db.asTenant('default', async (sql) => {
      for (const table of ['person', 'directory', 'setting']) await sql(`delete from ${table}`);
    });
    access = rig.open();
    anna = await access.addPerson(boss, { login: 'anna', name: 'Anna', role: 'admin', password: PASSWORD });
    bert = await access.addPerson(boss, { login: 'bert', name: 'Bert', role: 'user', password: PASSWORD });
  });

  describe('sessions', () => {
    it('never take a token that was in the browser before, and end the session it belonged to', async () => {
      const attacker = openBrowser();
      await attacker.signIn('bert');
      const planted = attacker.jar.get('luna_session')!;
      for (const before of [planted, 'a'.repeat(43), 'short', '']) {
        const victim = openBrowser();
        victim.jar.set('luna_session', before);
        expect((await victim.signIn('anna')).status).toBe(303);
        expect(victim.jar.get('luna_session')).toMatch(/^[\w-]{43}$/);
        expect(victim.jar.get('luna_session')).not.toBe(before);
        expect((await victim.get('/account')).text).toContain('Signed in as Anna');
      }
      expect(await isSignedIn(attacker)).toBe(false);
      expect(await access.session(planted)).toBeNull();
    });

    it('end elsewhere by a new password of one’s own; this browser goes on with a new token', async () => {
      const [here, elsewhere] = [openBrowser(), openBrowser()];
      await here.signIn('bert');
      await elsewhere.signIn('bert');
      const before = here.jar.get('luna_session')!;
      const fields = { password: 'another good one', password_again: 'another good one' };
      expect((await here.post('/account/password', { ...fields, present: 'wrong' })).status).toBe(401);
      expect((await here.post('/account/password', { ...fields, present: PASSWORD, password_again: 'x' })).status).toBe(
        400,
      );
      expect(
        (await here.post('/account/password', { present: PASSWORD, password: 'short', password_again: 'short' }))
          .status,
      ).toBe(400);
      expect(await isSignedIn(elsewhere)).toBe(true);
      expect((await here.post('/account/password', { ...fields, present: PASSWORD })).location).toBe('/account?saved');
      expect([await isSignedIn(here), await isSignedIn(elsewhere)]).toEqual([true, false]);
      expect(here.jar.get('luna_session')).not.toBe(before);
      expect(await access.session(before)).toBeNull();
      expect((await openBrowser().signIn('bert', 'another good one')).status).toBe(303);
    });

    it('end by a new role, by an admin’s new password, and at the sign-out', async () => {
      const admin = openBrowser();
      await admin.signIn('anna');
      const changes: Record<string, string>[] = [{ role: 'analyst' }, { role: 'analyst', password: 'yet another one' }];
      for (const change of changes) {
        const browser = openBrowser();
        await browser.signIn('bert');
        const token = browser.jar.get('luna_session')!;
        expect((await admin.post(`/admin/people/${bert.id}`, { name: 'Bert', language: 'en', ...change })).status).toBe(
          303,
        );
        expect(await access.session(token)).toBeNull();
      }
      expect(await isSignedIn(admin)).toBe(true);
      const token = admin.jar.get('luna_session')!;
      await admin.post(`/admin/people/${anna.id}`, {
        name: 'Anna',
        language: 'en',
        role: 'admin',
        password: 'a new one of mine',
      });
      expect([await isSignedIn(admin), await access.session(token)]).toEqual([true, null]);
      const last = admin.jar.get('luna_session')!;
      await admin.post('/sign-out');
      expect([admin.jar.has('luna_session'), await access.session(last)]).toEqual([false, null]);
    });

    it('have cookies that scripts and other sites cannot use; over TLS no other name is taken', async () => {
      const plain = openBrowser();
      await plain.signIn('anna');
      expect(plain.lines).toHaveLength(2);
      for (const line of plain.lines) expect(line).toMatch(/^luna_(session|device)=.*Path=\/; HttpOnly; SameSite=Lax$/);
      const secure = openBrowser({ secure: true });
      await secure.signIn('anna');
      expect(secure.lines).toHaveLength(2);
      for (const line of secure.lines)
        expect(line).toMatch(/^__Host-luna_(session|device)=.*Path=\/; HttpOnly; Secure; SameSite=Lax$/);
      expect(await isSignedIn(secure)).toBe(true);
      const tossed = openBrowser({ secure: true });
      tossed.jar.set('luna_session', secure.jar.get('__Host-luna_session')!);
      expect(await isSignedIn(tossed)).toBe(false);
    });
  });

  describe('with a second factor', () => {
    it('is set up with a picture, a typed secret and a first code, which ends what was signed in elsewhere', async () => {
      const [here, elsewhere] = [openBrowser(), openBrowser()];
      await here.signIn('anna');
      await elsewhere.signIn('anna');
      expect((await here.post('/account/second-factor/begin', { present: 'wrong' })).status).toBe(401);
      expect((await here.get('/account')).text).not.toContain('class="qr"');
      await here.post('/account/second-factor/begin', { present: PASSWORD });
      const page = (await here.get('/account')).text;
      expect(page).toMatch(/class="qr"[^>]*>\s*<svg viewBox="0 0 \d+ \d+"/);
      expect((await here.post('/account/second-factor/confirm', { code: '000000' })).status).toBe(400);
      expect(await isSignedIn(elsewhere)).toBe(true);
      const { seed, codes } = await setUpCode(here);
      expect(codes).toHaveLength(10);
      expect([await isSignedIn(here), await isSignedIn(elsewhere)]).toEqual([true, false]);
      const everything = await test.db.asTenant('default', async (sql) =>
        JSON.stringify([
          await sql('select * from person'),
          await sql('select * from recovery_code'),
          await sql('select * from audit'),
        ]),
      );
      for (const secret of [seed, ...codes, ...codes.map((code) => code.replaceAll('-', ''))])
        expect(everything).not.toContain(secret);
      expect(await createAuditService(test).list('default', { limit: 1 })).toMatchObject([
        { act: 'set up second factor', object: 'anna' },
      ]);
    });

    it('a password alone opens nothing, and each code works once, one step early or late', async () => {
      const here = openBrowser();
      await here.signIn('anna');
      const { seed } = await setUpCode(here);
      const used = await codeOf(seed);
      const there = openBrowser();
      const asked = await there.signIn('anna');
      expect([asked.status, there.jar.size]).toEqual([200, 0]);
      for (const code of [used, '', '12345', 'x'.repeat(16)])
        expect((await there.code(asked.text, code)).status).toBe(401);
      expect(there.jar.size).toBe(0);
      const early = await generate({ secret: seed, epoch: (clock.now_ms + STEP_MS) / 1000 });
      const tooEarly = await generate({ secret: seed, epoch: (clock.now_ms + 2 * STEP_MS) / 1000 });
      expect((await there.code(asked.text, tooEarly)).status).toBe(401);
      expect((await there.code(asked.text, early)).status).toBe(303);
      expect(await isSignedIn(there)).toBe(true);
      const again = openBrowser();
      expect((await again.code((await again.signIn('anna')).text, early)).status).toBe(401);
      expect((await again.code(asked.text, tooEarly)).status).toBe(401);
      clock.now_ms += 3 * STEP_MS;
      const late = await generate({ secret: seed, epoch: (clock.now_ms - STEP_MS) / 1000 });
      expect((await again.code((await again.signIn('anna')).text, late)).status).toBe(303);
    });

    it('lets one of two in who bring the same code at the same moment', async () => {
      const here = openBrowser();
      await here.signIn('anna');
      const { seed } = await setUpCode(here);
      clock.now_ms += STEP_MS;
      const code = await codeOf(seed);
      const both = await Promise.allSettled(
        ['10.0.0.7', '10.0.0.8'].map((from) => access.signIn('anna', PASSWORD, from, undefined, code)),
      );
      expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    });

    it('takes each recovery code once, and new ones make the old ones void', async () => {
      const here = openBrowser();
      await here.signIn('anna');
      const { codes } = await setUpCode(here);
      const signIn = async (code: string) => {
        const browser = openBrowser();
        return (await browser.code((await browser.signIn('anna')).text, code)).status;
      };
      expect(await signIn(codes[0]!.toUpperCase().replaceAll('-', ' '))).toBe(303);
      expect(await signIn(codes[0]!)).toBe(401);
      expect((await here.get('/account')).text).toContain('9 of 10');
      const renewed = await here.post('/account/second-factor/codes', { present: PASSWORD });
      const fresh = (await here.get(renewed.location!)).text.match(/\b[0-9a-z]{4}(-[0-9a-z]{4}){3}\b/g) ?? [];
      expect((await here.get(renewed.location!)).text).not.toContain(fresh[0]);
      expect([await signIn(codes[1]!), await signIn(fresh[1]!)]).toEqual([401, 303]);
    });

    it('whose key the box lost, says so in words; a recovery code or an admin lets in, and it is set up anew', async () => {
      const here = openBrowser();
      await here.signIn('anna');
      const { seed, codes } = await setUpCode(here);
      clock.now_ms += STEP_MS;
      access = rig.loseKey();
      const there = openBrowser();
      const asked = await there.signIn('anna');
      // No guesses: a recovery code must not have to wait afterwards.
      for (let n = 0; n < 12; n++) {
        const { status, text } = await there.code(asked.text, await codeOf(seed));
        expect([status, text]).toEqual([401, expect.stringContaining('lost the key')]);
        expect(text).toContain('recovery codes');
        expect(text).toContain('./luna user reset-second-factor');
      }
      await expect(access.signIn('anna', PASSWORD, '10.0.0.1', undefined, await codeOf(seed))).rejects.toMatchObject({
        name: 'SecondFactorLostError',
        remedy: expect.stringContaining('recovery code'),
      });
      expect((await there.code(asked.text, codes[0]!)).status).toBe(303);
      expect((await there.get('/account')).text).toContain('lost the key');
      expect((await there.post('/account/second-factor/remove', { present: PASSWORD })).status).toBe(303);
      clock.now_ms += STEP_MS;
      const anew = await setUpCode(there);
      clock.now_ms += STEP_MS;
      const again = openBrowser();
      expect((await again.code((await again.signIn('anna')).text, await codeOf(anew.seed))).status).toBe(303);
      expect((await again.get('/account')).text).not.toContain('lost the key');
      // Without any code: as ./luna user reset-second-factor does.
      await access.second_factor.remove(boss, anna.id);
      expect(await openBrowser().signIn('anna')).toMatchObject({ status: 303 });
    });

    it('being set up while the box loses its key, begins anew', async () => {
      const here = openBrowser();
      await here.signIn('bert');
      await here.post('/account/second-factor/begin', { present: PASSWORD });
      access = rig.loseKey();
      const there = openBrowser();
      await there.signIn('bert');
      expect((await there.get('/account')).status).toBe(200);
      await setUpCode(there);
    });

    it('counts wrong codes as guesses: ten in a quarter of an hour, the owner’s own browser apart', async () => {
      const here = openBrowser();
      await here.signIn('anna');
      const { seed } = await setUpCode(here);
      clock.now_ms += STEP_MS;
      const thief = openBrowser({ from: '6.6.6.6' });
      const asked = await thief.signIn('anna');
      const statuses = [];
      for (let i = 0; i < 14; i++) statuses.push((await thief.code(asked.text, String(100_000 + i))).status);
      expect(statuses).toEqual([...Array(10).fill(401), ...Array(4).fill(429)]);
      expect((await thief.code(asked.text, await codeOf(seed))).status).toBe(429);
      const owner = openBrowser();
      owner.jar.set('luna_device', here.jar.get('luna_device')!);
      expect((await owner.code((await owner.signIn('anna')).text, await codeOf(seed))).status).toBe(303);
    });

    it('holds a ticket of the first step for five minutes and no longer than the password', async () => {
      const here = openBrowser();
      await here.signIn('anna');
      const { seed } = await setUpCode(here);
      const there = openBrowser();
      const first = (await there.signIn('anna')).text;
      clock.now_ms += 5 * 60_000;
      expect((await there.code(first, await codeOf(seed))).status).toBe(401);
      const second = (await there.signIn('anna')).text;
      await access.changePerson(boss, anna.id, { password: 'another good one' });
      expect((await there.code(second, await codeOf(seed))).status).toBe(401);
    });

    it('is asked for by the API too, and may be reset by an admin, who is written down', async () => {
      const browser = openBrowser();
      await browser.signIn('bert');
      const { seed } = await setUpCode(browser);
      clock.now_ms += STEP_MS;
      const token = async (more: object) => {
        const body = JSON.stringify({ login: 'bert', password: PASSWORD, ...more });
        return browser.send('POST', '/api/v1/token', body, {
          'content-type': 'application/json',
          authorization: 'Bearer x',
        });
      };
      expect(await token({})).toMatchObject({ status: 403, text: expect.stringContaining('one-time code is needed') });
      expect((await token({ code: '000000' })).status).toBe(403);
      const given = await token({ code: await codeOf(seed) });
      expect(given.status).toBe(200);
      const jwt = (JSON.parse(given.text) as { token: string }).token;
      expect(await access.bearer(jwt)).toMatchObject({ person: 'bert' });
      const { key } = await access.createKey(boss, 'k', 'admin');
      const reset = (id: string, bearer: string) =>
        browser.send('DELETE', `/api/v1/people/${id}/second-factor`, undefined, { authorization: `Bearer ${bearer}` });
      expect((await reset(anna.id, jwt)).status).toBe(403);
      expect((await reset('nobody', key)).status).toBe(404);
      expect((await reset(bert.id, key)).status).toBe(204);
      expect([await access.bearer(jwt), (await token({})).status]).toEqual([null, 200]);
      const [entry] = (await createAuditService(test).list('default', { limit: 9 })).filter(
        ({ act }) => act !== 'sign in',
      );
      expect(entry).toMatchObject({ actor: 'key:k', act: 'reset second factor', object: 'bert' });
    });

    it('demanded of a role, leaves its people nothing else to do until it is set up', async () => {
      const browser = openBrowser();
      await browser.signIn('bert');
      const jwt = (await access.issueToken((await access.session(browser.jar.get('luna_session')!))!.actor)).token;
      const admin = openBrowser();
      await admin.signIn('anna');
      expect((await admin.post('/admin/people/second-factor', { user: 'yes' })).status).toBe(303);
      for (const path of ['/', '/meters', '/admin/people', '/stream?page=now'])
        expect(await browser.get(path)).toMatchObject({ status: 303, location: '/account' });
      expect((await browser.get('/api/v1/me')).status).toBe(403);
      expect((await browser.post('/demo/start')).status).toBe(403);
      expect(await access.bearer(jwt)).toBeNull();
      await expect(access.issueToken({ ...boss, person: 'bert' })).rejects.toThrow(/needs a second factor/);
      expect((await browser.get('/account')).text).toContain('Your role needs a second factor');
      expect((await admin.get('/api/v1/me')).status).toBe(200);
      await setUpCode(browser);
      expect((await browser.get('/api/v1/me')).status).toBe(200);
      await admin.post('/admin/people/second-factor', {});
      expect(await access.second_factor.roles('default')).toEqual([]);
    });

    it('goes when its owner switches it off with the password', async () => {
      const browser = openBrowser();
      await browser.signIn('bert');
      await setUpCode(browser);
      expect((await browser.post('/account/second-factor/remove', { present: 'wrong' })).status).toBe(401);
      expect((await browser.post('/account/second-factor/remove', { present: PASSWORD })).status).toBe(303);
      expect((await openBrowser().signIn('bert')).status).toBe(303);
    });
  });
});
