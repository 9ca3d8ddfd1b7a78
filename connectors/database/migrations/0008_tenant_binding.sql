-- The tenant of a transaction is sealed, so that SQL which somebody smuggles into it cannot name another one: what
-- the policies believe is luna.bound_tenant(), not a setting. docs/decisions/0012-sealed-tenant.md says why.

-- Read by the owner when the box starts, never by the role that the box works under.
create table tenant_key (
  one boolean primary key default true check (one),
  secret bytea not null check (length(secret) = 32)
);
insert into tenant_key (secret)
  values (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

-- Good for one connection only. connectors/database/postgres/seal.ts computes the same.
create function tenant_seal(secret bytea, pid integer, tenant text) returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select encode(sha256(secret || sha256(secret || convert_to(pid || ':' || tenant, 'UTF8'))), 'hex')
$$;

-- The tenant of this transaction, `*` for the box itself, null where none was named or the seal is not ours.
create function bound_tenant() returns text language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
  tenant text := current_setting('luna.tenant', true);
  seal text := current_setting('luna.seal', true);
begin
  if coalesce(tenant, '') = '' or coalesce(seal, '') = '' then
    return null;
  end if;
  -- compared by their hashes: the time taken tells nothing about the seal
  return (select tenant from luna.tenant_key
    where sha256(convert_to(luna.tenant_seal(secret, pg_backend_pid(), tenant), 'UTF8'))
      = sha256(convert_to(seal, 'UTF8')));
end $$;

-- As a subquery it is asked once a statement, not once a row.
do $$
declare t record;
begin
  for t in
    select c.table_name from information_schema.columns c
    join information_schema.tables i using (table_schema, table_name)
    where c.table_schema = 'luna' and c.column_name = 'tenant_id' and i.table_type = 'BASE TABLE'
  loop
    execute format('drop policy if exists tenant on luna.%I', t.table_name);
    execute format('alter table luna.%I enable row level security', t.table_name);
    execute format('alter table luna.%I force row level security', t.table_name);
    execute format(
      'create policy tenant on luna.%I using (tenant_id = (select luna.bound_tenant())) '
      'with check (tenant_id = (select luna.bound_tenant()))', t.table_name);
  end loop;
end $$;

-- Whose a credential is, is asked before a tenant is known: by the box itself, which may not change it.
create policy box on directory for select using ((select luna.bound_tenant()) = '*');

-- A tenant sees its own name; only the box adds and removes tenants.
alter table tenant enable row level security;
alter table tenant force row level security;
create policy tenant on tenant for select using (id = (select luna.bound_tenant()));
create policy box on tenant using ((select luna.bound_tenant()) = '*') with check ((select luna.bound_tenant()) = '*');
