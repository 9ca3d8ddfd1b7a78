/**
 * The second factor of people: time-based one-time codes (TOTP, RFC 6238: SHA-1, 6 digits, steps of 30 s, one step of
 * tolerance either way) and recovery codes for when the phone is gone. Each code works once.
 */
import { generateSecret, generateURI, verify } from 'otplib';
import { InvalidDataError, NotAllowedError, NotFoundError } from '../../engine/errors.ts';
import type { Role } from '../../engine/model/site.ts';
import type { Database, Sql } from '../../engine/ports.ts';
import { writeAudit } from '../services/audit.ts';
import type { Actor } from '../services.ts';
import { newRecoveryCode, recoveryCodeOf } from './recovery-codes.ts';
import { sha256 } from './secrets.ts';
import type { Sessions } from './sessions.ts';
import type { Vault } from './vault.ts';

/** Of one person: since when, how many recovery codes are left, and what the app needs while it is being set up. */
export type SecondFactor = {
  since_ms: number | null;
  recovery_left: number;
  setup: { seed: string; uri: string } | null;
  /** The box lost the key that opens its seed: no code of the app is taken any more. */
  is_lost: boolean;
};

/** Nobody can tell whether a code is right: the box lost its key, as after a restore without keys. */
export class SecondFactorLostError extends NotAllowedError {
  constructor() {
    super(
      'The box lost the key with which it checks codes of your app (it was restored without its keys).',
      'Sign in with a recovery code, or have your second factor removed: an admin under Admin, People, or ./luna user reset-second-factor on the box.',
    );
  }
}

/** One-time codes (RFC 6238). `person_id` is the actor's own, but for `remove`, by which an admin resets somebody's. */
export interface SecondFactorService {
  of(tenant: string, person_id: string): Promise<SecondFactor>;
  begin(actor: Actor, person_id: string): Promise<void>;
  /** With a code of the app; ends all sessions and tokens. @returns recovery codes, shown once. */
  confirm(actor: Actor, person_id: string, code: string): Promise<string[]>;
  /** @returns new recovery codes, shown once; the former ones are void. */
  renewCodes(actor: Actor, person_id: string): Promise<string[]>;
  /** Ends all sessions and tokens too. */
  remove(actor: Actor, person_id: string): Promise<void>;
  /** Roles whose people must have one. */
  roles(tenant: string): Promise<Role[]>;
  demand(actor: Actor, roles: readonly Role[]): Promise<void>;
}

const STEP_S = 30;
const RECOVERY_CODES = 10;
const SETTING = 'second_factor_roles';
const ROLES: readonly Role[] = ['admin', 'analyst', 'user'];

/** Whether the role of a row of `person` demands a second factor that the person has not set up. SQL. */
export const LACKS_CODE = `(person.totp_since is null and exists (select from setting
  where setting.name = '${SETTING}' and setting.value ? person.role))`;

type Deps = {
  db: Database;
  vault: Vault;
  now: () => number;
  sessions: Pick<Sessions, 'endAllOf'>;
  /** What was known of anybody may be outdated. */
  changed: () => void;
};
type Row = { login: string; totp_seed: string | null; totp_since: Date | null; recovery_left: number };

export type SecondFactorCheck = {
  /** Uses a one-time or recovery code up. False for one that is wrong or was used. Within the tenant's transaction.
   * @throws SecondFactorLostError where nobody can tell */
  use(sql: Sql, tenant: string, person_id: string, code: string): Promise<boolean>;
};

export function createSecondFactor({
  db,
  vault,
  now,
  sessions,
  changed,
}: Deps): SecondFactorService & SecondFactorCheck {
  const contextOf = (tenant: string, person_id: string) => `${tenant}/person/${person_id}/totp`;
  /** null where the key that sealed it is lost. */
  const seedOf = (tenant: string, person_id: string, sealed: string): string | null => {
    try {
      return vault.open(sealed, contextOf(tenant, person_id));
    } catch (error) {
      if (error instanceof InvalidDataError) return null;
      throw error;
    }
  };

  /** Ends what was signed in before: it may have been somebody else. */
  async function endAll(sql: Sql, person_id: string): Promise<void> {
    await sql('update person set tokens_from = clock_timestamp() where id::text = $1', [person_id]);
    await sessions.endAllOf(sql, person_id);
  }

  async function clear(sql: Sql, person_id: string): Promise<void> {
    await sql('update person set totp_seed = null, totp_since = null, totp_step = null where id::text = $1', [
      person_id,
    ]);
    await sql('delete from recovery_code where person_id::text = $1', [person_id]);
  }

  return {
    async of(tenant, person_id): Promise<SecondFactor> {
      const row = await db.asTenant(tenant, (sql) => find(sql, person_id));
      const seed = row.totp_seed === null ? null : seedOf(tenant, person_id, row.totp_seed);
      const is_on = row.totp_since !== null;
      return {
        ...{ since_ms: row.totp_since?.getTime() ?? null, recovery_left: row.recovery_left },
        setup: seed !== null && !is_on ? setupOf(row.login, seed) : null,
        is_lost: is_on && seed === null,
      };
    },

    async begin({ tenant }, person_id) {
      const seed = generateSecret();
      await db.asTenant(tenant, async (sql) => {
        const sealed = vault.seal(seed, contextOf(tenant, person_id));
        const begun = await sql(
          'update person set totp_seed = $2 where id::text = $1 and totp_since is null returning id',
          [person_id, sealed],
        );
        if (begun.length === 0) throw ALREADY();
      });
    },

    async confirm(actor, person_id, code) {
      const codes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode);
      await db.asTenant(actor.tenant, async (sql) => {
        const { login, totp_seed, totp_since } = await find(sql, person_id, 'for update');
        if (totp_since !== null) throw ALREADY();
        const seed = totp_seed === null ? null : seedOf(actor.tenant, person_id, totp_seed);
        if (seed === null) throw new InvalidDataError('No second factor is being set up.', 'Begin it anew.');
        const step = await stepOf(seed, code, now());
        if (step === null) throw WRONG();
        await sql('update person set totp_since = $2, totp_step = $3 where id::text = $1', [
          ...[person_id, new Date(now()), step],
        ]);
        await storeCodes(sql, actor.tenant, person_id, codes);
        await endAll(sql, person_id);
        await writeAudit(sql, actor, 'set up second factor', login);
      });
      changed();
      return codes;
    },

    async renewCodes(actor, person_id) {
      const codes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode);
      await db.asTenant(actor.tenant, async (sql) => {
        const { login, totp_since } = await find(sql, person_id, 'for update');
        if (totp_since === null) throw new InvalidDataError('There is no second factor.', 'Set it up first.');
        await storeCodes(sql, actor.tenant, person_id, codes);
        await writeAudit(sql, actor, 'renew recovery codes', login);
      });
      return codes;
    },

    async remove(actor, person_id) {
      await db.asTenant(actor.tenant, async (sql) => {
        const { login } = await find(sql, person_id, 'for update');
        await clear(sql, person_id);
        await endAll(sql, person_id);
        await writeAudit(sql, actor, actor.person === login ? 'remove second factor' : 'reset second factor', login);
      });
      changed();
    },

    async use(sql, tenant, person_id, code) {
      const recovery = recoveryCodeOf(code);
      if (recovery !== null) return useRecoveryCode(sql, person_id, recovery, now());
      const { totp_seed, totp_since } = await find(sql, person_id);
      if (totp_seed === null || totp_since === null) return false;
      const seed = seedOf(tenant, person_id, totp_seed);
      if (seed === null) throw new SecondFactorLostError();
      const step = await stepOf(seed, code, now());
      if (step === null) return false;
      // Two that bring the same code at once: the row lets one of them through.
      const used = await sql(
        'update person set totp_step = $2 where id::text = $1 and (totp_step is null or totp_step < $2) returning id',
        [person_id, step],
      );
      return used.length > 0;
    },

    async roles(tenant) {
      const [row] = await db.asTenant(tenant, (sql) =>
        sql<{ value: Role[] }>('select value from setting where name = $1', [SETTING]),
      );
      return row?.value ?? [];
    },

    async demand(actor, roles) {
      const known = ROLES.filter((role) => roles.includes(role));
      await db.asTenant(actor.tenant, async (sql) => {
        await sql(
          `insert into setting (tenant_id, name, value) values ($1, $2, $3)
            on conflict (tenant_id, name) do update set value = excluded.value`,
          [actor.tenant, SETTING, JSON.stringify(known)],
        );
        await writeAudit(sql, actor, 'demand second factor', known.join(', ') || '–', { roles: known });
      });
      changed();
    },
  };
}

async function find(sql: Sql, person_id: string, lock: '' | 'for update' = ''): Promise<Row> {
  const [row] = await sql<Row>(
    `select login, totp_seed, totp_since, (select count(*) from recovery_code
        where recovery_code.person_id = person.id and used_at is null) as recovery_left
      from person where id::text = $1 ${lock}`,
    [person_id],
  );
  if (!row) throw new NotFoundError('There is no such person.', 'They may have been removed already.');
  return row;
}

function setupOf(login: string, seed: string): { seed: string; uri: string } {
  return { seed, uri: generateURI({ issuer: 'Luna', label: login, secret: seed }) };
}

/** The step of 30 s that the code belongs to; null where it is none of the three around now. */
async function stepOf(seed: string, code: string, now_ms: number): Promise<number | null> {
  const token = code.replaceAll(/[\s-]/g, '');
  if (!/^\d{6}$/.test(token)) return null;
  const found = await verify({ secret: seed, token, epoch: Math.floor(now_ms / 1000), epochTolerance: STEP_S });
  return found.valid ? Math.floor(now_ms / 1000 / STEP_S) + found.delta : null;
}

async function storeCodes(sql: Sql, tenant: string, person_id: string, codes: readonly string[]): Promise<void> {
  await sql('delete from recovery_code where person_id::text = $1', [person_id]);
  for (const code of codes)
    await sql('insert into recovery_code (tenant_id, person_id, code_sha256) values ($1, $2, $3)', [
      ...[tenant, person_id, sha256(recoveryCodeOf(code) ?? code)],
    ]);
}

async function useRecoveryCode(sql: Sql, person_id: string, code: string, now_ms: number): Promise<boolean> {
  const used = await sql(
    `update recovery_code set used_at = $3 where person_id::text = $1 and code_sha256 = $2 and used_at is null
      returning code_sha256`,
    [person_id, sha256(code), new Date(now_ms)],
  );
  return used.length > 0;
}

const ALREADY = () => new InvalidDataError('The second factor is set up already.', 'Remove it first.');
const WRONG = () =>
  new NotAllowedError(
    'The code is wrong, was used before, or the clocks differ.',
    'Give the code that the app shows now; phone and box must agree on the time to half a minute.',
  );
