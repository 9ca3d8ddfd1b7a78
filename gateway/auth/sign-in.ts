/** Signing in: a password, and a one-time code where the person has a second factor. Every wrong one is a counted guess. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { NotAllowedError } from '../../engine/errors.ts';
import type { Database, Sql } from '../../engine/ports.ts';
import { writeAudit } from '../services/audit.ts';
import type { Actor, SignedIn } from '../services.ts';
import type { Attempt, Attempts } from './attempts.ts';
import { tenantOf } from './directory.ts';
import type { Passwords } from './passwords.ts';
import { normalLogin } from './people.ts';
import { type SecondFactorCheck, SecondFactorLostError } from './second-factor.ts';
import { sha256 } from './secrets.ts';
import type { Sessions } from './sessions.ts';
import type { Signer } from './signer.ts';

/** Asked for where the login is unknown, so that the same steps are taken. */
const NO_TENANT = 'default';
const TICKET_MS = 5 * 60_000;
const MOST_TICKETS = 1000;

type Login = {
  id: string;
  login: string;
  password_hash: string;
  disabled: boolean;
  language: 'en' | 'de';
  totp_since: Date | null;
};
type Known = { tenant: string; person: Login };
type Ticket = Known & { until_ms: number };

/** The password was right; the second step takes the code. */
export class CodeNeededError extends NotAllowedError {
  readonly ticket: string;
  constructor(ticket: string) {
    super('A one-time code is needed.', 'Send the code of the authenticator app, or a recovery code, as `code`.');
    this.ticket = ticket;
  }
}

type Deps = {
  db: Database;
  now: () => number;
  log: Logger;
  passwords: Passwords;
  attempts: Attempts;
  signer: Signer;
  sessions: Sessions;
  second_factor: SecondFactorCheck;
};

export function createSignIn({ db, now, log, passwords, attempts, signer, sessions, second_factor }: Deps) {
  const tickets = new Map<string, Ticket>();

  async function attemptOf(login: string, from: string, device: string | undefined): Promise<Attempt> {
    return { login, from, known_device: device !== undefined && (await signer.isDeviceMark(device, login)) };
  }

  /** Not waited for: the time of a refusal must not tell whether the login exists. */
  function auditRefusal({ tenant, person }: Known, from: string): void {
    db.asTenant(tenant, (sql) =>
      writeAudit(sql, actorOf(tenant, person), 'sign in refused', person.login, { from }),
    ).catch((error: Error) => log.warn({ err: error }, 'a refused sign-in could not be written to the audit log'));
  }

  /** Whose password it is; a wrong one was counted. */
  async function byPassword(attempt: Attempt, password: string): Promise<Known> {
    const { login, from } = attempt;
    attempts.begin(attempt);
    const tenant = await db.asSystem((sql) => tenantOf(sql, 'login', login));
    const person = await db.asTenant(tenant ?? NO_TENANT, (sql) => findLogin(sql, 'login', login));
    const right = await passwords.verify(person?.password_hash ?? null, password);
    if (!tenant || !person || !right || person.disabled) {
      log.warn({ from, login_known: person !== null }, 'sign-in refused');
      if (tenant && person) auditRefusal({ tenant, person }, from);
      throw new NotAllowedError('Login or password is wrong.', 'Try again, or ask an admin for a new password.');
    }
    attempts.succeeded(attempt);
    return { tenant, person };
  }

  async function byCode(attempt: Attempt, known: Known, code: string): Promise<void> {
    attempts.begin(attempt);
    const right = await db
      .asTenant(known.tenant, (sql) => second_factor.use(sql, known.tenant, known.person.id, code))
      .catch((error: unknown) => {
        if (!(error instanceof SecondFactorLostError)) throw error;
        log.warn({ from: attempt.from }, 'a one-time code could not be checked: the key of the box was lost');
        // No guess: the tries are left for a recovery code.
        attempts.succeeded(attempt);
        throw error;
      });
    if (!right) {
      log.warn({ from: attempt.from }, 'one-time code refused');
      auditRefusal(known, attempt.from);
      throw new NotAllowedError('The one-time code is wrong or was used before.', 'Wait for the next one.');
    }
    attempts.succeeded(attempt);
  }

  async function begin({ tenant, person }: Known, from: string): Promise<SignedIn> {
    const token = await db.asTenant(tenant, async (sql) => {
      await sql('update person set last_sign_in_at = $2 where id = $1', [person.id, new Date(now())]);
      const begun = await sessions.begin(sql, tenant, person.id);
      await writeAudit(sql, actorOf(tenant, person), 'sign in', person.login, { from });
      return begun;
    });
    const session = await sessions.find(sha256(token));
    if (!session) throw new NotAllowedError('The sign-in was ended meanwhile.', 'Sign in again.');
    return { token, session, device: await signer.deviceMark(person.login) };
  }

  function newTicket(known: Known): string {
    for (const [id, { until_ms }] of tickets) {
      if (until_ms > now() && tickets.size < MOST_TICKETS) break;
      tickets.delete(id);
    }
    const ticket = randomUUID();
    tickets.set(ticket, { ...known, until_ms: now() + TICKET_MS });
    return ticket;
  }

  /** The person as they are now: the same password, and still allowed. */
  async function byTicket(ticket: string): Promise<Known> {
    const kept = tickets.get(ticket);
    const person =
      kept && kept.until_ms > now()
        ? await db.asTenant(kept.tenant, (sql) => findLogin(sql, 'id::text', kept.person.id))
        : null;
    if (!kept || !person || person.disabled || person.password_hash !== kept.person.password_hash)
      throw new NotAllowedError('The sign-in took too long.', 'Begin again with name and password.');
    return { tenant: kept.tenant, person };
  }

  return {
    async signIn(typed: string, password: string, from: string, device?: string, code?: string): Promise<SignedIn> {
      const attempt = await attemptOf(normalLogin(typed), from, device);
      const known = await byPassword(attempt, password);
      if (known.person.totp_since !== null) {
        if (code === undefined) throw new CodeNeededError(newTicket(known));
        await byCode(attempt, known, code);
      }
      return begin(known, from);
    },
    async signInWithCode(ticket: string, code: string, from: string, device?: string): Promise<SignedIn> {
      const known = await byTicket(ticket);
      await byCode(await attemptOf(known.person.login, from, device), known, code);
      tickets.delete(ticket);
      return begin(known, from);
    },
    async confirmPassword(login: string, password: string, from: string, device?: string): Promise<void> {
      await byPassword(await attemptOf(normalLogin(login), from, device), password);
    },
  };
}

async function findLogin(sql: Sql, column: 'login' | 'id::text', value: string): Promise<Login | null> {
  const [row] = await sql<Login>(
    `select id, login, password_hash, disabled, language, totp_since from person where ${column} = $1`,
    [value],
  );
  return row ?? null;
}

function actorOf(tenant: string, { login, language }: Login): Actor {
  return { tenant, person: login, role: 'user', language };
}
