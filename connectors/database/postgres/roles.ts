/** Row-level security holds only for a role that cannot step around it. */

import { ConfigError } from '../../../engine/errors.ts';
import type { Sql } from '../../../engine/ports.ts';

/** @throws ConfigError when the role is a superuser, has BYPASSRLS, may become such a role, or owns our tables. */
export async function refuseMightyRole(sql: Sql): Promise<void> {
  const [role] = await sql<{
    name: string;
    superuser: boolean;
    bypass: boolean;
    becomes: string | null;
    owns: boolean;
  }>(`
    select current_user as name, rolsuper as superuser, rolbypassrls as bypass,
      (select min(other.rolname) from pg_roles other
        where (other.rolsuper or other.rolbypassrls) and pg_has_role(current_user, other.oid, 'member')) as becomes,
      exists (select from pg_class where relnamespace = to_regnamespace('luna')
        and pg_has_role(current_user, relowner, 'member')) as owns
    from pg_roles where rolname = current_user`);
  const why = role?.superuser
    ? 'is a superuser'
    : role?.bypass
      ? 'has BYPASSRLS'
      : role?.becomes
        ? `may become ${role.becomes}, whom row-level security does not bind`
        : role?.owns
          ? 'owns the tables or may become their owner'
          : null;
  if (why)
    throw new ConfigError(
      `The database role ${role?.name} ${why}: tenants would not be kept apart.`,
      'Give LUNA_DATABASE a role made by `create role luna_app login nosuperuser nobypassrls`, and the owner in LUNA_DATABASE_OWNER.',
    );
}
