/** Every kind of credential with what it should be worth, good and bad ones, of both organisations. */
import { SignJWT } from 'jose';
import type { Role } from '../../../engine/model/site.ts';
import { adminOf, type World } from './world.ts';

export type Credential = {
  name: string;
  /** The role it gives; null: worth nothing. */
  role: Role | null;
  kind: 'none' | 'key' | 'token' | 'session' | 'session without proof' | 'device' | 'half';
  tenant: string | null;
  headers: Record<string, string>;
};

const ROLES: readonly Role[] = ['user', 'analyst', 'admin'];
const PASSWORD = 'Tischkreissäge 42 im Keller';
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});
const nothing = (name: string, headers: Record<string, string>): Credential => ({
  ...{ name, role: null, kind: 'none', tenant: null, headers },
});

export async function makeCredentials(world: World): Promise<Credential[]> {
  const { services } = world;
  const all: Credential[] = [
    nothing('nobody', {}),
    nothing('a session that never was', { cookie: cookie('a'.repeat(43)) }),
  ];
  for (const { tenant, keys } of world.organisations)
    for (const role of ROLES) {
      const of = { role, tenant };
      all.push({ ...of, name: `${role} key of ${tenant}`, kind: 'key', headers: bearer(keys[role]) });
      const actor = await services.access.bearer(keys[role]);
      const { token } = await services.access.issueToken(actor!);
      all.push({ ...of, name: `${role} token of ${tenant}`, kind: 'token', headers: bearer(token) });
      // Theirs would lack the second factor that is demanded below.
      if (tenant === 'other' && role === 'user') continue;
      const { headers } = await signIn(world, tenant, role, `${tenant}-${role}`);
      all.push({ ...of, name: `${role} session of ${tenant}`, kind: 'session', headers });
    }
  const { headers } = await signIn(world, 'default', 'admin', 'forgetful');
  all.push({
    ...{ name: 'admin session without CSRF token', role: 'admin', kind: 'session without proof', tenant: 'default' },
    headers: { cookie: headers.cookie! },
  });
  all.push(...(await bad(world)), ...(await devices(world)), await halfSignedIn(world));
  return all;
}

const cookie = (token: string) => `luna_session=${token}`;

async function signIn({ services: { access } }: World, tenant: string, role: Role, login: string) {
  const { id } = await access.addPerson(adminOf(tenant), { login, name: login, role, password: PASSWORD });
  const { token, session } = await access.signIn(login, PASSWORD, '127.0.0.1');
  return {
    id,
    token,
    session,
    headers: { cookie: cookie(token), 'x-csrf-token': session.csrf } as Record<string, string>,
  };
}

/** What was good once, or looks as if it were. */
async function bad(world: World): Promise<Credential[]> {
  const { services, organisations } = world;
  const { access, db } = services;
  const admin = adminOf('default');
  const revoked = await access.createKey(admin, 'revoked', 'admin');
  const { token: orphan } = await access.issueToken((await access.bearer(revoked.key))!);
  const { token } = await access.issueToken((await access.bearer(organisations[0].keys.admin))!);
  await access.revokeKey(admin, revoked.id);
  const expired = await signIn(world, 'default', 'admin', 'expired');
  await db.asTenant('default', (sql) =>
    sql(`update session set expires_at = now() - interval '1 s' where person_id = $1`, [expired.id]),
  );
  const idle = await signIn(world, 'default', 'admin', 'idle');
  await db.asTenant('default', (sql) =>
    sql(`update session set seen_at = now() - interval '4 days' where person_id = $1`, [idle.id]),
  );
  const ended = await signIn(world, 'default', 'admin', 'ended');
  await access.signOut(ended.token);
  const disabled = await signIn(world, 'default', 'admin', 'disabled');
  const { token: ofDisabled } = await access.issueToken(disabled.session.actor);
  await access.changePerson(admin, disabled.id, { disabled: true });
  const [head, body, signature = ''] = token.split('.');
  const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
  const forged = await new SignJWT({ tenant: 'other', kind: 'key', version: 0 })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer('luna')
    .setSubject('00000000-0000-4000-8000-000000000000')
    .setExpirationTime('1h')
    .sign(Buffer.alloc(32));
  return [
    nothing('a revoked key', bearer(revoked.key)),
    nothing('a key that never was', bearer(`luna_${'a'.repeat(43)}`)),
    nothing('a token of a revoked key', bearer(orphan)),
    nothing('a token signed by somebody else', bearer(forged)),
    nothing('a token with another signature', bearer(`${head}.${body}.${[...signature].reverse().join('')}`)),
    nothing('a token without signature', bearer(`${none}.${body}.`)),
    nothing('an expired session', expired.headers),
    nothing('a session that nobody used for days', idle.headers),
    nothing('a session that was signed out', ended.headers),
    nothing('the session of a disabled person', disabled.headers),
    nothing('the token of a disabled person', bearer(ofDisabled)),
    nothing('a key as Basic', basic('luna', organisations[0].keys.admin)),
    nothing('a key in the cookie', { cookie: cookie(organisations[0].keys.admin) }),
  ];
}

async function devices({ services, organisations }: World): Promise<Credential[]> {
  const all: Credential[] = [];
  for (const { tenant, ids } of organisations) {
    const { username, password } = await services.devices.newCredential(adminOf(tenant), ids.device);
    const of = { role: null, tenant };
    all.push({ ...of, name: `a device of ${tenant}`, kind: 'device', headers: basic(username, password) });
    all.push(nothing(`a device of ${tenant} with a wrong password`, basic(username, `${password}x`)));
  }
  return all;
}

/** Somebody whose role demands a second factor that is not set up yet. */
async function halfSignedIn(world: World): Promise<Credential> {
  await world.services.access.second_factor.demand(adminOf('other'), ['user']);
  const { headers } = await signIn(world, 'other', 'user', 'half');
  return { name: 'a session that lacks its second factor', role: null, kind: 'half', tenant: 'other', headers };
}
