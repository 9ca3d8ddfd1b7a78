/** People and their roles. A tenant that has an admin never ends up without one. */
import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import type { Role } from '../../engine/model/site.ts';
import type { Database, Sql } from '../../engine/ports.ts';
import { writeAudit } from '../services/audit.ts';
import { textFaults } from '../services/identifier.ts';
import type { AccessService, Actor, Person } from '../services.ts';
import { enter, leave } from './directory.ts';
import type { Passwords } from './passwords.ts';
import type { Sessions } from './sessions.ts';

const ROLES: readonly Role[] = ['admin', 'analyst', 'user'];
const LANGUAGES = ['en', 'de'];
const LOGIN = /^[\p{L}\p{N}][\p{L}\p{N}._@+-]{0,99}$/u;

type PersonRow = Omit<Person, 'last_sign_in_ms'> & { last_sign_in_at: Date | null };
type NewPerson = Parameters<AccessService['addPerson']>[1];
type Change = Parameters<AccessService['changePerson']>[2];
export type People = ReturnType<typeof createPeople>;

/** How a login is compared: the same name in another writing is the same person. */
export function normalLogin(login: string): string {
  return login.normalize('NFKC').trim().toLowerCase();
}

export function createPeople({
  db,
  passwords,
  sessions,
  changed,
  newPassword,
}: {
  db: Database;
  passwords: Passwords;
  sessions: Sessions;
  /** What was known of anybody may be outdated. */
  changed: () => void;
  /** Called for a login once it has another password. */
  newPassword: (login: string) => void;
}) {
  return {
    async list(tenant: string): Promise<Person[]> {
      const rows = await db.asTenant(tenant, (sql) => sql<PersonRow>(`${SELECT} order by login`));
      return rows.map(personOf);
    },

    async add(actor: Actor, person: NewPerson): Promise<Person> {
      const login = normalLogin(person.login ?? '');
      requireValid({ ...person, login });
      const password_hash = await passwords.hash(person.password);
      const added = await db.asTenant(actor.tenant, async (sql) => {
        if (!(await enter(sql, 'login', login, actor.tenant)))
          throw new InvalidDataError(`The login ${login} is taken.`, 'Choose another one.', [
            { where: 'login', problem: 'is taken' },
          ]);
        const [row] = await sql<PersonRow>(
          `insert into person (tenant_id, login, name, role, password_hash, language) values ($1, $2, $3, $4, $5, $6)
            returning ${COLUMNS}`,
          [actor.tenant, login, person.name.trim(), person.role, password_hash, person.language ?? 'en'],
        );
        await writeAudit(sql, actor, 'add person', login, { role: person.role });
        return row!;
      });
      changed();
      return personOf(added);
    },

    async change(actor: Actor, id: string, change: Change): Promise<void> {
      requireValid(change);
      const password_hash = change.password === undefined ? null : await passwords.hash(change.password);
      const login = await db.asTenant(actor.tenant, async (sql) => {
        const person = await find(sql, id);
        const { name, role, disabled, language } = change;
        if ((role !== undefined && role !== 'admin') || disabled) await refuseForLastAdmin(sql, person);
        await sql(
          `update person set name = coalesce($2, name), role = coalesce($3, role), disabled = coalesce($4, disabled),
            language = coalesce($5, language), password_hash = coalesce($6, password_hash) where id = $1`,
          [id, name?.trim() ?? null, role ?? null, disabled ?? null, language ?? null, password_hash],
        );
        if (password_hash !== null || disabled || (role !== undefined && role !== person.role)) {
          await sql('update person set tokens_from = clock_timestamp() where id = $1', [id]);
          await sessions.endAllOf(sql, id);
        }
        const credential = password_hash === null ? undefined : 'new';
        await writeAudit(sql, actor, 'change person', person.login, {
          name,
          role,
          disabled,
          language,
          credential,
        });
        return person.login;
      });
      if (password_hash !== null) newPassword(login);
      changed();
    },

    async remove(actor: Actor, id: string): Promise<void> {
      await db.asTenant(actor.tenant, async (sql) => {
        const person = await find(sql, id);
        await refuseForLastAdmin(sql, person);
        await sessions.endAllOf(sql, id);
        await sql('delete from person where id = $1', [id]);
        await leave(sql, 'login', [person.login]);
        await writeAudit(sql, actor, 'remove person', person.login);
      });
      changed();
    },

    async hasAdmin(tenant: string): Promise<boolean> {
      const rows = await db.asTenant(tenant, (sql) => sql(`select from person where ${ACTIVE_ADMIN} limit 1`));
      return rows.length > 0;
    },

    /** Whether an admin of now has ever signed in: with them the set-up is over. */
    async hasKnownAdmin(tenant: string): Promise<boolean> {
      const known = `select from person where ${ACTIVE_ADMIN} and last_sign_in_at is not null limit 1`;
      return (await db.asTenant(tenant, (sql) => sql(known))).length > 0;
    },
  };
}

const COLUMNS = 'id, login, name, role, language, disabled, last_sign_in_at, totp_since is not null as second_factor';
const SELECT = `select ${COLUMNS} from person`;
const ACTIVE_ADMIN = `role = 'admin' and not disabled`;

function personOf({ last_sign_in_at, ...person }: PersonRow): Person {
  return { ...person, last_sign_in_ms: last_sign_in_at?.getTime() ?? null };
}

async function find(sql: Sql, id: string): Promise<PersonRow> {
  const [person] = await sql<PersonRow>(`${SELECT} where id::text = $1`, [id]);
  if (!person) throw new NotFoundError('There is no such person.', 'They may have been removed already.');
  return person;
}

/** Locks the admins' rows, so that two cannot go at the same time. */
async function refuseForLastAdmin(sql: Sql, person: PersonRow): Promise<void> {
  const admins = await sql<{ id: string }>(`select id from person where ${ACTIVE_ADMIN} order by id for update`);
  if (admins.length === 1 && admins[0]?.id === person.id)
    throw new InvalidDataError(`${person.login} is the last admin.`, 'Make somebody else admin first.');
}

function requireValid(person: Partial<NewPerson>): void {
  const { login, name, role, language } = person;
  const faults = [
    ...(login === undefined || LOGIN.test(login)
      ? []
      : [{ where: 'login', problem: 'must have 1 to 100 letters, digits or . _ @ + -' }]),
    ...(name === undefined ? [] : textFaults('name', name, 200)),
    ...(role === undefined || ROLES.includes(role)
      ? []
      : [{ where: 'role', problem: 'is none of admin, analyst, user' }]),
    ...(language === undefined || LANGUAGES.includes(language)
      ? []
      : [{ where: 'language', problem: 'is neither en nor de' }]),
  ];
  if (faults.length > 0)
    throw new InvalidDataError(
      `This cannot be stored: ${faults.map(({ where, problem }) => `${where} ${problem}`).join('; ')}.`,
      'Change these fields.',
      faults,
    );
}
