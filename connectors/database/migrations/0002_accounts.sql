-- Audit log as a hash chain, its signed heads, and the second factor of people.

-- Ids run 1, 2, 3… per tenant without a gap, so that a missing entry shows; times to the millisecond, as they are told.
alter table audit no force row level security;
alter table audit alter column id drop identity if exists;
alter table audit add column hash text;
alter table audit alter column at set default date_trunc('milliseconds', clock_timestamp());
-- A tenant is not removed together with what was done in it.
alter table audit drop constraint audit_tenant_id_fkey;
alter table audit add foreign key (tenant_id) references tenant (id) on delete restrict;

-- docs/guides/audit.md tells how to compute this elsewhere: SHA-256 of a JSON array without spaces.
create function audit_hash(tenant text, id bigint, at timestamptz, actor text, act text, object text, detail jsonb, former text)
returns text language sql stable set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
  select encode(sha256(convert_to('[' || concat_ws(',', to_json(tenant), id,
    to_json(to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')), to_json(actor), to_json(act), to_json(object),
    to_json(detail::text), to_json(former)) || ']', 'UTF8')), 'hex')
$$;

-- One writer a tenant at a time, until its transaction ends: whoever comes next sees the entry before.
create function chain_audit() returns trigger language plpgsql set search_path = luna, pg_temp as $$
declare former record;
begin
  perform pg_advisory_xact_lock(hashtextextended('luna audit ' || new.tenant_id, 0));
  select a.id, a.hash into former from luna.audit a where a.tenant_id = new.tenant_id order by a.id desc limit 1;
  new.id := coalesce(former.id, 0) + 1;
  new.at := date_trunc('milliseconds', clock_timestamp());
  new.hash := luna.audit_hash(new.tenant_id, new.id, new.at, new.actor, new.act, new.object, new.detail,
    coalesce(former.hash, ''));
  return new;
end $$;

-- What was written before is chained as it is found.
do $$
declare
  entry record;
  tenant text := '';
  former text;
  number bigint;
begin
  for entry in select * from audit order by tenant_id, id loop
    if entry.tenant_id <> tenant then
      tenant := entry.tenant_id;
      former := '';
      number := 0;
    end if;
    number := number + 1;
    former := audit_hash(tenant, number, date_trunc('milliseconds', entry.at), entry.actor, entry.act, entry.object,
      entry.detail, former);
    update audit set id = number, at = date_trunc('milliseconds', entry.at), hash = former
      where tenant_id = tenant and id = entry.id;
  end loop;
end $$;
alter table audit alter column hash set not null;
alter table audit force row level security;
create trigger chain before insert on audit for each row execute function chain_audit();

-- Signatures over the newest entry, made with a key outside the database; the file audit-heads.jsonl has them too.
create table audit_head (
  tenant_id text not null references tenant (id) on delete restrict,
  id bigint not null,
  hash text not null,
  at timestamptz not null,
  key_id text not null,
  signature text not null,
  primary key (tenant_id, id)
);

-- The seed is sealed. `totp_since` is null until the first code was given; `totp_step` is the last step whose code was used.
alter table person add column totp_seed text;
alter table person add column totp_since timestamptz;
alter table person add column totp_step bigint;

create table recovery_code (
  tenant_id text not null,
  person_id uuid not null,
  code_sha256 text not null,
  used_at timestamptz,
  primary key (tenant_id, person_id, code_sha256),
  foreign key (tenant_id, person_id) references person (tenant_id, id) on delete cascade
);

-- The CSRF token of a session follows from its cookie and a key outside the database.
alter table session drop column csrf;

do $$
declare t text;
begin
  foreach t in array array['audit_head', 'recovery_code'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format(
      'create policy tenant on %I using (tenant_id = current_setting(''luna.tenant'', true)) '
      'with check (tenant_id = current_setting(''luna.tenant'', true))', t);
  end loop;
end $$;
