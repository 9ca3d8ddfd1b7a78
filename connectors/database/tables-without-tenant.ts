/**
 * The tables that hold no tenant's data and so stand outside row-level security. A test holds this list against
 * the schema: every other table has tenant_id and forced row-level security.
 */
export const TABLES_WITHOUT_TENANT: Readonly<Record<string, string>> = {
  'luna.migration': 'which migrations were applied',
  'luna.tenant': 'the tenants themselves: each sees its own row, the box all',
  'luna.tenant_key': 'what seals the tenant of a transaction; the role of the box cannot read it',
  'luna.directory': 'asked by the box before a tenant is known; holds hashes and names only',
  'luna.provider_run': 'market prices are public',
  'pgboss.*': 'the job queue; payloads name tenants by id and hold no readings, people or documents',
};
