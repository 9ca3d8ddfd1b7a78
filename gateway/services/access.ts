/** Who may do what: sign-in, sessions, API keys, tokens, people, second factors, and the one-time set-up link. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { NotAllowedError } from '../../engine/errors.ts';
import type { Role } from '../../engine/model/site.ts';
import type { Database } from '../../engine/ports.ts';
import { createAttempts } from '../auth/attempts.ts';
import { API_KEY, createKeys, type Keys } from '../auth/keys.ts';
import { createPasswords } from '../auth/passwords.ts';
import { createPeople } from '../auth/people.ts';
import { createRecent } from '../auth/recent.ts';
import { createSecondFactor, LACKS_CODE } from '../auth/second-factor.ts';
import { replaceableSecret, sha256 } from '../auth/secrets.ts';
import { createSessions } from '../auth/sessions.ts';
import { createSignIn } from '../auth/sign-in.ts';
import { createSigner, type Signer, type TokenClaims } from '../auth/signer.ts';
import type { Vault } from '../auth/vault.ts';
import type { Actor, Base, SecondFactorService } from '../services.ts';

export type Person = {
  id: string;
  login: string;
  name: string;
  role: Role;
  language: 'en' | 'de';
  disabled: boolean;
  last_sign_in_ms: number | null;
  /** Whether they give a one-time code when they sign in. */
  second_factor: boolean;
};

export type ApiKey = { id: string; name: string; role: Role; created_ms: number; last_used_ms: number | null };

export type Session = {
  actor: Actor;
  person_id: string;
  name: string;
  csrf: string;
  token_sha256: string;
  /** The role demands a second factor that is not set up: until then nothing else is open. */
  lacks_code: boolean;
};

export type SignedIn = { token: string; session: Session; device?: string };

export interface AccessService {
  /** True until there is an admin who can sign in. */
  needsSetup(tenant: string): Promise<boolean>;
  /** The one-time token of the set-up link; null once an admin has signed in. The same over restarts until then. */
  setupToken(): Promise<string | null>;
  /** Rejects NotAllowedError (never saying whether the login exists), or TooManyTriesError for this address and login.
   * `device` is what an earlier sign-in returned: who has it does not wait for strangers' wrong tries.
   * Rejects CodeNeededError where the person has a second factor and gave no `code`: with its ticket `signInWithCode`. */
  signIn(login: string, password: string, from: string, device?: string, code?: string): Promise<SignedIn>;
  /** The second step, within five minutes. Wrong codes count as tries. Rejects as `signIn`. */
  signInWithCode(ticket: string, code: string, from: string, device?: string): Promise<SignedIn>;
  /** Whether the password is the person's; a wrong one counts as a try and rejects as `signIn`. Begins nothing. */
  confirmPassword(login: string, password: string, from: string, device?: string): Promise<void>;
  /** A session of its own for who has just proven to be this person, after all were ended. */
  renew(session: Session): Promise<{ token: string; session: Session }>;
  second_factor: SecondFactorService;
  /** @returns null for an unknown or expired token. */
  session(token: string): Promise<Session | null>;
  /** By token, or by `token_sha256` of the session. */
  signOut(token: string): Promise<void>;
  /** `Authorization: Bearer` of an API key or one of our JWTs; null when it is neither or revoked. */
  bearer(token: string): Promise<Actor | null>;
  /** A JWT for a program, from login and password or an API key. */
  issueToken(actor: Actor): Promise<{ token: string; expires_ms: number }>;
  listPeople(tenant: string): Promise<Person[]>;
  addPerson(
    actor: Actor,
    person: { login: string; name: string; role: Role; password: string; language?: 'en' | 'de' },
  ): Promise<Person>;
  changePerson(
    actor: Actor,
    id: string,
    change: { role?: Role; name?: string; disabled?: boolean; password?: string; language?: 'en' | 'de' },
  ): Promise<void>;
  removePerson(actor: Actor, id: string): Promise<void>;
  listKeys(tenant: string): Promise<ApiKey[]>;
  /** `key` is shown once. */
  createKey(actor: Actor, name: string, role: Role): Promise<{ id: string; key: string }>;
  revokeKey(actor: Actor, id: string): Promise<void>;
}

const HASH = /^[0-9a-f]{64}$/;
const SETUP_TENANT = 'default';
/** How long another process's change (a disabled person, a revoked key) may go unnoticed. */
const RECENT_MS = 5000;

export type AccessDeps = Pick<Base, 'db' | 'clock' | 'log'> & {
  config: Pick<Base['config'], 'home' | 'session_hours'>;
  vault: Vault;
};

export function createAccessService({ db, clock, log, config, vault }: AccessDeps): AccessService {
  const now = () => clock.now();
  const passwords = createPasswords();
  const signer = createSigner(config.home);
  const recentSessions = createRecent<Session>(now, RECENT_MS);
  const recentActors = createRecent<Actor>(now, RECENT_MS);
  const forget = () => {
    recentSessions.clear();
    recentActors.clear();
  };
  const sessions = createSessions({ db, now, hours: config.session_hours, csrfOf: signer.csrfOf });
  const attempts = createAttempts(now);
  const people = createPeople({ db, passwords, sessions, changed: forget, newPassword: attempts.forget });
  const keys = createKeys({ db, now, changed: forget });
  const second_factor = createSecondFactor({ db, vault, now, sessions, changed: forget });
  const signing = createSignIn({ db, now, log, passwords, attempts, signer, sessions, second_factor });

  const endSession = async (token: string) => {
    await sessions.end(HASH.test(token) ? token : sha256(token));
    recentSessions.clear();
  };
  return {
    needsSetup: async (tenant) => !(await people.hasAdmin(tenant)),
    async setupToken() {
      const file = join(config.home, 'setup-token');
      if (!(await people.hasKnownAdmin(SETUP_TENANT))) return replaceableSecret(file);
      await rm(file, { force: true });
      return null;
    },
    ...signing,
    second_factor,
    async renew({ actor, person_id }) {
      const token = await db.asTenant(actor.tenant, (sql) => sessions.begin(sql, actor.tenant, person_id));
      const session = await sessions.find(sha256(token));
      if (!session) throw new NotAllowedError('The sign-in was ended meanwhile.', 'Sign in again.');
      return { token, session };
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

/** The subject as it is now: a token of somebody disabled, removed or with a new password or role is void. */
async function actorOfClaims(db: Database, keys: Keys, { tenant, kind, id, version }: TokenClaims) {
  if (kind === 'key') return keys.findById(tenant, id);
  const [row] = await db.asTenant(tenant, (sql) =>
    sql<{ login: string; role: Role; language: 'en' | 'de'; tokens_from: Date }>(
      `select login, role, language, tokens_from from person where id::text = $1 and not disabled and not ${LACKS_CODE}`,
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
    sql<{ id: string; tokens_from: Date; lacks_code: boolean }>(
      `select id, tokens_from, ${LACKS_CODE} as lacks_code from person where login = $1 and not disabled`,
      [person],
    ),
  );
  if (row?.lacks_code)
    throw new NotAllowedError('Your role needs a second factor.', 'Sign in in a browser and set it up first.');
  if (!row) throw new NotAllowedError(`${person} gets no token.`, 'Use a login and password, or an API key.');
  return signer.sign({ tenant, kind: 'person', id: row.id, version: row.tokens_from.getTime() }, now_ms);
}
