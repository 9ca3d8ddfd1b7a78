/** Who may do what: sign-in, sessions, API keys, tokens, people, and the one-time set-up link. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { NotAllowedError } from '../../engine/errors.ts';
import type { Role } from '../../engine/model/site.ts';
import type { Database, Sql } from '../../engine/ports.ts';
import { createAttempts } from '../auth/attempts.ts';
import { tenantOf } from '../auth/directory.ts';
import { API_KEY, createKeys, type Keys } from '../auth/keys.ts';
import { createPasswords } from '../auth/passwords.ts';
import { createPeople, normalLogin } from '../auth/people.ts';
import { createRecent } from '../auth/recent.ts';
import { keptSecret, sha256 } from '../auth/secrets.ts';
import { createSessions } from '../auth/sessions.ts';
import { createSigner, type Signer, type TokenClaims } from '../auth/signer.ts';
import type { AccessService, Actor, Base, Session } from '../services.ts';
import { writeAudit } from './audit.ts';

const HASH = /^[0-9a-f]{64}$/;
const SETUP_TENANT = 'default';
/** How long another process's change (a disabled person, a revoked key) may go unnoticed. */
const RECENT_MS = 5000;

type Login = { id: string; login: string; password_hash: string; disabled: boolean; language: 'en' | 'de' };

export function createAccessService({
  db,
  clock,
  log,
  config,
}: Pick<Base, 'db' | 'clock' | 'log'> & { config: Pick<Base['config'], 'home' | 'session_hours'> }): AccessService {
  const now = () => clock.now();
  const passwords = createPasswords();
  const attempts = createAttempts(now);
  const signer = createSigner(config.home);
  const recentSessions = createRecent<Session>(now, RECENT_MS);
  const recentActors = createRecent<Actor>(now, RECENT_MS);
  const forget = () => {
    recentSessions.clear();
    recentActors.clear();
  };
  const sessions = createSessions({ db, now, hours: config.session_hours });
  const people = createPeople({ db, passwords, sessions, changed: forget });
  const keys = createKeys({ db, now, changed: forget });

  /** Not waited for: the time of a refusal must not tell whether the login exists. */
  const auditRefusal = (tenant: string, person: Login, from: string) => {
    db.asTenant(tenant, (sql) =>
      writeAudit(sql, actorOf(tenant, person), 'sign in refused', person.login, { from }),
    ).catch((error: Error) => log.warn({ err: error }, 'a refused sign-in could not be written to the audit log'));
  };
  const endSession = async (token: string) => {
    await sessions.end(HASH.test(token) ? token : sha256(token));
    recentSessions.clear();
  };
  return {
    needsSetup: async (tenant) => !(await people.hasAdmin(tenant)),
    async setupToken() {
      const file = join(config.home, 'setup-token');
      if (!(await people.hasKnownAdmin(SETUP_TENANT))) return keptSecret(file);
      await rm(file, { force: true });
      return null;
    },
    async signIn(typed, password, from, device) {
      const login = normalLogin(typed);
      const known_device = device !== undefined && (await signer.isDeviceMark(device, login));
      const attempt = { login, from, known_device };
      attempts.admit(attempt);
      attempts.failed(attempt);
      const tenant = await db.asSystem((sql) => tenantOf(sql, 'login', login));
      // An unknown login takes the same steps, so that the time tells nothing.
      const person = await db.asTenant(tenant ?? SETUP_TENANT, (sql) => findLogin(sql, login));
      const right = await passwords.verify(person?.password_hash ?? null, password);
      if (!tenant || !person || !right || person.disabled) {
        log.warn({ from, login_known: person !== null }, 'sign-in refused');
        if (tenant && person) auditRefusal(tenant, person, from);
        throw new NotAllowedError('Login or password is wrong.', 'Try again, or ask an admin for a new password.');
      }
      attempts.succeeded(attempt);
      const token = await db.asTenant(tenant, async (sql) => {
        await sql('update person set last_sign_in_at = $2 where id = $1', [person.id, new Date(now())]);
        await writeAudit(sql, actorOf(tenant, person), 'sign in', login, { from });
        return sessions.begin(sql, tenant, person.id);
      });
      const session = await sessions.find(sha256(token));
      if (!session) throw new NotAllowedError('The sign-in was ended meanwhile.', 'Sign in again.');
      return { token, session, device: await signer.deviceMark(login) };
    },
    session: (token) => recentSessions.get(sha256(token), (hash) => sessions.find(hash)),
    signOut: endSession,
    async bearer(token) {
      if (API_KEY.test(token)) return recentActors.get(sha256(token), () => keys.find(token));
      const claims = await signer.verify(token, now());
      return claims && recentActors.get(sha256(token), () => actorOfClaims(db, keys, claims));
    },
    issueToken: (actor) => issueToken(db, keys, signer, actor, now()),
    listPeople: people.list,
    addPerson: people.add,
    changePerson: people.change,
    removePerson: people.remove,
    listKeys: keys.list,
    createKey: keys.create,
    revokeKey: keys.revoke,
  };
}

async function findLogin(sql: Sql, login: string): Promise<Login | null> {
  const [row] = await sql<Login>('select id, login, password_hash, disabled, language from person where login = $1', [
    login,
  ]);
  return row ?? null;
}

function actorOf(tenant: string, { login, language }: Login): Actor {
  return { tenant, person: login, role: 'user', language };
}

/** The subject as it is now: a token of somebody disabled, removed or with a new password is void. */
async function actorOfClaims(db: Database, keys: Keys, { tenant, kind, id, version }: TokenClaims) {
  if (kind === 'key') return keys.findById(tenant, id);
  const [row] = await db.asTenant(tenant, (sql) =>
    sql<{ login: string; role: Role; language: 'en' | 'de'; tokens_from: Date }>(
      'select login, role, language, tokens_from from person where id::text = $1 and not disabled',
      [id],
    ),
  );
  if (row?.tokens_from.getTime() !== version) return null;
  return { tenant, person: row.login, role: row.role, language: row.language };
}

async function issueToken(db: Database, keys: Keys, signer: Signer, { tenant, person }: Actor, now_ms: number) {
  if (person.startsWith('key:')) {
    const id = await keys.idOf(tenant, person.slice(4));
    if (id) return signer.sign({ tenant, kind: 'key', id, version: 0 }, now_ms);
  }
  const [row] = await db.asTenant(tenant, (sql) =>
    sql<{ id: string; tokens_from: Date }>('select id, tokens_from from person where login = $1 and not disabled', [
      person,
    ]),
  );
  if (!row) throw new NotAllowedError(`${person} gets no token.`, 'Use a login and password, or an API key.');
  return signer.sign({ tenant, kind: 'person', id: row.id, version: row.tokens_from.getTime() }, now_ms);
}
