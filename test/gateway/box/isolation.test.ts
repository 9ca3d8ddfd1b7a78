/** Promise 3 on the whole box: whatever route somebody takes, nothing of another organisation comes back or changes. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../setup/until.ts';
import { ask, browser, operations, pageRoutes } from './asking.ts';
import { PROBES } from './probes.ts';
import { type Organisation, REPORT_DAY, startTwoTenants, TO, type TwoTenants } from './two-tenants.ts';

let world: TwoTenants;
beforeAll(async () => {
  world = await startTwoTenants();
}, 90_000);
afterAll(() => world?.remove());

const DENIED = [401, 403, 404];
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const pairs: readonly (readonly [number, number])[] = [
  [0, 1],
  [1, 0],
];

/** They would end the session, or start another program. */
const LEFT_OUT = new Set(['/sign-out', '/sign-in', '/demo/start', '/demo/stop']);

/** What of `victim` stands in the text of an answer to a request that itself said `sent`. */
function leaks(victim: Organisation, text: string, sent: string): string[] {
  const digits = String(Math.trunc(victim.number));
  const number = new RegExp(`(?<![\\w.-])(10)?${digits[0]}[.,’ ]?${digits.slice(1)}(?![\\w-])`);
  const found = [];
  if (text.toLowerCase().includes(victim.secret.toLowerCase())) found.push(victim.secret);
  const value = number.exec(text);
  if (value) found.push(text.slice(Math.max(0, value.index - 60), value.index + 20));
  // As pages round it.
  const shown = `${(victim.number / 1000).toFixed(1).replace('.', '[.,]')}\\s*kW\\b`;
  const power = new RegExp(`(?<![\\d.,])${shown}`).exec(text.replaceAll(/<[^>]*>/g, ' '));
  if (power) found.push(power[0]);
  for (const id of Object.values(victim.ids))
    if (id !== 'twin' && !sent.includes(id) && text.includes(id)) found.push(id);
  return found;
}

/** Per table the rows of one tenant and a digest of them. */
async function rowsOf(tenant: string): Promise<Record<string, string>> {
  const host = join(world.box.home, 'postgres');
  // A superuser: row-level security shows it everything.
  const client = new pg.Client({ host, port: 5432, user: 'postgres', database: 'luna' });
  await client.connect();
  try {
    await client.query(`set search_path = luna`);
    const { rows: tables } = await client.query<{ table_name: string }>(
      `select table_name from information_schema.columns where table_schema = 'luna' and column_name = 'tenant_id' order by 1`,
    );
    const found: Record<string, string> = {};
    for (const { table_name: table } of tables) {
      // When a credential was last used is all that may differ: the test itself uses them.
      const { rows } = await client.query<{ n: string; digest: string }>(
        `select count(*) as n, md5(coalesce(string_agg(line, '|' order by line), '')) as digest
          from (select (to_jsonb(t) - 'last_used_at' - 'seen_at' - 'last_sign_in_at')::text as line
            from ${table} t where tenant_id = $1 ${table === 'directory' ? `and kind <> 'session'` : ''}) as lines`,
        [tenant],
      );
      found[table] = `${rows[0]!.n} ${rows[0]!.digest}`;
    }
    return found;
  } finally {
    await client.end();
  }
}

/** What the store has of an organisation, through its own key: every value that is there. */
async function seriesOf({ keys, ids }: Organisation): Promise<Record<string, string[]>> {
  const wanted = [ids.meter, ids.twin].flatMap((meter) =>
    ['power_W', 'import_kWh'].flatMap((quantity) =>
      ['raw', 'slot', 'day'].map((resolution) => ({ meter, quantity, resolution })),
    ),
  );
  const found = await Promise.all(
    wanted.map(async ({ meter, quantity, resolution }) => {
      const path = `/api/v1/data/query?meter=${meter}&quantity=${quantity}&resolution=${resolution}&from=2026-02-01T00:00:00Z&to=${TO}`;
      const answer = (await (await ask(world.box, 'GET', { path }, bearer(keys.user))).json()) as {
        points?: { at: string; value: number | null; quality: string }[];
      };
      const points = (answer.points ?? []).filter(({ value }) => value !== null);
      return [
        `${meter} ${quantity} ${resolution}`,
        points.map(({ at, value, quality }) => `${at} ${value} ${quality}`),
      ] as const;
    }),
  );
  return Object.fromEntries(found);
}

const everythingOf = async (owner: Organisation) => ({
  series: await seriesOf(owner),
  rows: await rowsOf(owner.tenant),
});

/** Slots may follow a reading by two seconds; on a machine that is slow, looks are slow as well. */
const STILL = { ms: 2500, looks: 6 };

/** The same, once what its owner did before has reached slots, reports and passages. */
async function settled(owner: Organisation) {
  let last = await everythingOf(owner);
  let [since, same] = [performance.now(), 0];
  await until(
    async () => {
      await sleep(200);
      const now = await everythingOf(owner);
      if (JSON.stringify(now) === JSON.stringify(last)) same += 1;
      else [last, since, same] = [now, performance.now(), 0];
      return same >= STILL.looks && performance.now() - since >= STILL.ms;
    },
    `${owner.tenant} comes to rest`,
    45_000,
  );
  return last;
}

describe('isolation of organisations', () => {
  it('has a probe for every operation of the API, and no other', async () => {
    const known = (await operations(world.box)).map(({ method, path }) => `${method} ${path}`);
    expect(Object.keys(PROBES).sort()).toEqual(known.sort());
  });

  it('plants marks that their owner does see', async () => {
    for (const owner of world.organisations) {
      const { ids, keys, secret } = owner;
      // Readings in slots and the document in passages, before anybody looks for them elsewhere.
      await expect
        .poll(async () => (await seriesOf(owner))['twin import_kWh day'], { timeout: 20_000 })
        .toHaveLength(1);
      await expect.poll(async () => (await rowsOf(owner.tenant)).passage, { timeout: 20_000 }).toMatch(/^[1-9]/);
      const series = await seriesOf(owner);
      expect(leaks(owner, JSON.stringify(series), '').join()).toContain(`${owner.number}`);
      for (const path of [
        '/api/v1/devices',
        `/api/v1/quality?meter=twin&day=${REPORT_DAY}`,
        `/api/v1/recommend/${ids.decision}/explain`,
        '/api/v1/site',
        '/meters',
      ])
        expect(leaks(owner, await (await ask(world.box, 'GET', { path }, bearer(keys.analyst))).text(), '')).toContain(
          secret,
        );
      const page = await (await ask(world.box, 'GET', { path: '/meters/twin' }, bearer(keys.user))).text();
      expect(leaks(owner, page, '').join('\n')).toMatch(/\d\s*kW$/m);
      const [question] = PROBES['POST /api/v1/ask']!(ids);
      const asked = await ask(world.box, 'POST', question!, bearer(keys.user));
      expect(leaks(owner, await asked.text(), '')).toContain(secret);
    }
  }, 40_000);

  it.each(pairs)(
    'holds through every API route (%i against %i)',
    async (a, v) => {
      const [attacker, victim] = [world.organisations[a]!, world.organisations[v]!];
      const before = await settled(victim);
      const wrong: string[] = [];
      // Reading comes first: afterwards the attacker has things of its own with the ids it tried.
      const all = await operations(world.box);
      const reads = all.filter(({ method }) => method === 'GET');
      const writes = all.filter(({ method }) => method !== 'GET');
      let said = '';
      for (const { method, path } of [...reads, ...writes, ...reads])
        for (const probe of PROBES[`${method} ${path}`]?.(victim.ids) ?? []) {
          const answer = await ask(world.box, method, probe, bearer(attacker.keys.admin));
          const text = `${await answer.text()} ${JSON.stringify([...answer.headers])}`;
          const sent = `${probe.path} ${typeof probe.body === 'string' ? probe.body : ''}`;
          if (method !== 'GET') said += sent;
          for (const leak of leaks(victim, text, said + sent)) wrong.push(`${method} ${probe.path} tells ${leak}`);
          if (answer.status >= 500) wrong.push(`${method} ${probe.path} fails: ${text}`);
        }
      expect(wrong).toEqual([]);
      expect(await everythingOf(victim)).toEqual(before);
    },
    120_000,
  );

  it.each(pairs)(
    'holds through every page and its live stream (%i against %i)',
    async (a, v) => {
      const [attacker, victim] = [world.organisations[a]!, world.organisations[v]!];
      const before = await settled(victim);
      const visitor = await browser(world.box, attacker.ids.login, attacker.password);
      const ids = Object.values(victim.ids).filter((id) => id !== 'twin');
      const wrong: string[] = [];
      const streams = new Set<string>();
      const visitPage = async (method: string, path: string, id: string) => {
        const query = new URLSearchParams({ id, meter: id, series: `${id}:power_W`, device: id, document: id });
        const target = `${path.replaceAll(/:\w+/g, id)}?${query}`;
        const answer = await visitor.ask(method, target, method === 'POST' ? { ...victim.ids, name: 'probe' } : null);
        const text = `${await answer.text()} ${JSON.stringify([...answer.headers])}`;
        for (const leak of leaks(victim, text, ids.join())) wrong.push(`${method} ${target} tells ${leak}`);
        if (answer.status >= 500) wrong.push(`${method} ${target} fails: ${text}`);
        for (const [stream] of text.matchAll(/\/stream\?[^"' ]+/g)) streams.add(stream.replaceAll('&amp;', '&'));
      };
      for (const { method, path } of pageRoutes()) {
        if (method === 'POST' && LEFT_OUT.has(path)) continue;
        const tried = path.includes(':') ? [...ids, ...(method === 'GET' ? ['twin'] : [])] : [victim.ids.meter];
        // Looking at one page changes nothing for another; what is sent goes one by one.
        if (method === 'GET') await Promise.all(tried.map((id) => visitPage(method, path, id)));
        else for (const id of tried) await visitPage(method, path, id);
      }
      expect(wrong).toEqual([]);
      expect([...streams].some((stream) => stream.includes('page=now'))).toBe(true);
      for (const id of [victim.ids.meter, 'twin']) streams.add(`/stream?page=meter&id=${id}`);
      const live = await Promise.all([...streams].map((stream) => visitor.listen(stream, 1500)));
      expect(live.flatMap((text) => leaks(victim, text, ids.join()))).toEqual([]);
      expect(live.join()).toContain('event: clock');
      expect(await everythingOf(victim)).toEqual(before);
    },
    120_000,
  );

  it('removes only its own, also where both have the same id', async () => {
    const [attacker, victim] = world.organisations;
    const before = await settled(victim);
    const path = '/api/v1/devices/twin?erase_readings=true';
    expect((await ask(world.box, 'DELETE', { path }, bearer(attacker.keys.admin))).status).toBe(204);
    expect(await everythingOf(victim)).toEqual(before);
    // A device with the same id begins anew.
    const body = JSON.stringify({ id: 'twin', connection: { kind: 'mqtt', topic: null } });
    const again = { path: '/api/v1/devices', body, type: 'application/json' };
    expect((await ask(world.box, 'POST', again, bearer(attacker.keys.admin))).status).toBe(201);
    expect((await seriesOf(attacker))['twin power_W raw']).toEqual([]);
    expect(before.series['twin power_W raw']).not.toEqual([]);
  });
});

describe('who may what', () => {
  const nobody = (path: string) => path.replaceAll(/\{\w+\}/g, 'nobody');

  it('lets nobody in without credentials, or with wrong ones', async () => {
    const wrong: string[] = [];
    const credentials: Record<string, string>[] = [
      {},
      bearer('nonsense'),
      bearer(`luna_${'a'.repeat(43)}`),
      bearer('eyJhbGciOiJub25lIn0.eyJ0ZW5hbnQiOiJkZWZhdWx0Iiwia2luZCI6ImtleSIsInZlcnNpb24iOjB9.'),
      { cookie: `luna_session=${'a'.repeat(43)}` },
      { authorization: `Basic ${Buffer.from('twin:wrong').toString('base64')}` },
    ];
    for (const { method, path, role } of await operations(world.box))
      for (const headers of role === null ? [] : credentials) {
        const { status } = await ask(world.box, method, { path: nobody(path) }, headers);
        if (status !== 401) wrong.push(`${method} ${path} answers ${status} to ${JSON.stringify(headers)}`);
      }
    expect(wrong).toEqual([]);
  });

  it('leads strangers from every page to the sign-in', async () => {
    const open = ['GET /api', 'GET /sign-in', 'POST /sign-in', 'POST /sign-out', 'POST /preferences'];
    const wrong: string[] = [];
    for (const { method, path } of pageRoutes()) {
      if (open.includes(`${method} ${path}`)) continue;
      const answer = await ask(world.box, method, { path: path.replaceAll(/:\w+/g, 'twin') }, {});
      const led = /^\/(sign-in|admin\/)/.test(answer.headers.get('location') ?? '');
      const text = await answer.text();
      if (!led && !DENIED.includes(answer.status)) wrong.push(`${method} ${path}: ${answer.status}`);
      for (const owner of world.organisations)
        wrong.push(...leaks(owner, text, '').map((leak) => `${method} ${path} tells ${leak}`));
    }
    expect(wrong).toEqual([]);
  });

  it('asks for the role that the document names', async () => {
    const [{ keys }] = world.organisations;
    const ranks = ['user', 'analyst', 'admin'] as const;
    const wrong: string[] = [];
    for (const { method, path, role } of await operations(world.box))
      for (const own of role === null ? [] : ranks) {
        const { status } = await ask(world.box, method, { path: nobody(path) }, bearer(keys[own]));
        const may = ranks.indexOf(own) >= ranks.indexOf(role as 'user');
        const right = may ? ![401, 403].includes(status) && status < 500 : status === 403;
        if (!right) wrong.push(`${method} ${path} needs ${role} and answers ${status} to ${own}`);
      }
    expect(wrong).toEqual([]);
  }, 30_000);

  it('keeps the pages of admins from others', async () => {
    const [{ keys }] = world.organisations;
    const admins = pageRoutes().filter(({ path }) => path.startsWith('/admin') || path.startsWith('/demo'));
    expect(admins.length).toBeGreaterThan(5);
    for (const { method, path } of admins)
      for (const key of [keys.user, keys.analyst]) {
        const answer = await ask(world.box, method, { path: path.replaceAll(/:\w+/g, 'twin') }, bearer(key));
        const led = answer.headers.get('location')?.startsWith('/admin/') ?? false;
        expect(led ? 403 : answer.status, `${method} ${path}`).toBe(403);
      }
  });
});
