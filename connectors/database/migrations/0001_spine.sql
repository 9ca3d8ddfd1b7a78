-- The spine's relational schema. Tables with tenant_id are under forced row-level security (see the end);
-- those without are declared in connectors/database/tables-without-tenant.ts, which a test holds against the schema.

create table tenant (
  -- an empty id would match a connection that named no tenant
  id text primary key check (id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
  name text not null,
  created_at timestamptz not null default now()
);

-- Which tenant a credential belongs to, asked before a tenant is known. Holds hashes and names only.
create table directory (
  kind text not null check (kind in ('login', 'session', 'api_key', 'device')),
  key text not null,
  tenant_id text not null references tenant (id) on delete cascade,
  primary key (kind, key)
);

create table provider_run (
  id bigint generated always as identity primary key,
  provider text not null,
  area text not null,
  market text not null,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  from_at timestamptz not null,
  to_at timestamptz not null,
  rows integer not null,
  fault text
);
create index on provider_run (area, market, started_at desc);

create table site (
  tenant_id text not null references tenant (id) on delete cascade,
  id text not null,
  name text not null,
  place text not null default '',
  latitude double precision,
  longitude double precision,
  time_zone text not null,
  country text not null,
  currency text not null,
  energy_price jsonb not null,
  demo boolean not null default false,
  primary key (tenant_id, id)
);

create table device (
  tenant_id text not null references tenant (id) on delete cascade,
  id text not null,
  name text not null,
  profile text,
  connection jsonb not null,
  enabled boolean not null default true,
  firmware text,
  demo boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);

create table device_credential (
  tenant_id text not null,
  username text not null,
  device_id text not null,
  secret_sha256 bytea not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, username),
  foreign key (tenant_id, device_id) references device (tenant_id, id) on delete cascade
);

create table meter_point (
  tenant_id text not null,
  id text not null,
  -- no foreign key: devices may be made before the site is set up
  site_id text not null,
  name text not null,
  role text not null check (role in ('grid', 'generation', 'battery', 'load', 'sub-meter')),
  device_id text,
  channel text not null default 'main',
  parent_id text,
  virtual jsonb,
  demo boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, device_id) references device (tenant_id, id) on delete cascade,
  foreign key (tenant_id, parent_id) references meter_point (tenant_id, id) on delete set null (parent_id),
  unique (tenant_id, device_id, channel),
  check ((device_id is null) <> (virtual is null))
);

create table person (
  tenant_id text not null references tenant (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  login text not null,
  name text not null,
  role text not null check (role in ('admin', 'analyst', 'user')),
  password_hash text not null,
  language text not null default 'en',
  disabled boolean not null default false,
  created_at timestamptz not null default now(),
  last_sign_in_at timestamptz,
  -- tokens issued before are void: a new password or role, or disabled
  tokens_from timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, login)
);

create table session (
  tenant_id text not null,
  token_sha256 text not null,
  person_id uuid not null,
  csrf text not null,
  created_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  primary key (tenant_id, token_sha256),
  foreign key (tenant_id, person_id) references person (tenant_id, id) on delete cascade
);

create table api_key (
  tenant_id text not null references tenant (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  name text not null,
  role text not null check (role in ('admin', 'analyst', 'user')),
  secret_sha256 text not null,
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  revoked_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, secret_sha256)
);
create unique index on api_key (tenant_id, name) where revoked_at is null;

create table audit (
  tenant_id text not null references tenant (id) on delete cascade,
  id bigint generated always as identity,
  at timestamptz not null default now(),
  actor text not null,
  act text not null,
  object text not null,
  detail jsonb not null default '{}',
  primary key (tenant_id, id)
);

create table setting (
  tenant_id text not null references tenant (id) on delete cascade,
  name text not null,
  value jsonb not null,
  primary key (tenant_id, name)
);

create table quality_report (
  tenant_id text not null references tenant (id) on delete cascade,
  meter_id text not null,
  day date not null,
  report jsonb not null,
  made_at timestamptz not null default now(),
  primary key (tenant_id, meter_id, day)
);

create table data_load (
  tenant_id text not null references tenant (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  file_name text not null,
  sha256 text not null,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  report jsonb not null default '{}',
  primary key (tenant_id, id)
);

create table document (
  tenant_id text not null references tenant (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  title text not null,
  created_at timestamptz not null default now(),
  demo boolean not null default false,
  primary key (tenant_id, id)
);

create table document_version (
  tenant_id text not null,
  document_id uuid not null,
  version text not null,
  file_name text not null,
  sha256 text not null,
  pages integer,
  language text not null,
  state text not null check (state in ('queued', 'reading', 'ready', 'refused')),
  reason text,
  uploaded_by text not null,
  uploaded_at timestamptz not null default now(),
  primary key (tenant_id, document_id, version),
  unique (tenant_id, sha256),
  foreign key (tenant_id, document_id) references document (tenant_id, id) on delete cascade
);

create table passage (
  tenant_id text not null,
  id text not null,
  document_id uuid not null,
  version text not null,
  page integer,
  section text not null,
  text text not null,
  start_at integer not null,
  end_at integer not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, document_id, version)
    references document_version (tenant_id, document_id, version) on delete cascade
);

create table decision (
  tenant_id text not null references tenant (id) on delete cascade,
  id uuid not null,
  site_id text not null,
  at timestamptz not null,
  policy text not null,
  seed bigint not null,
  context jsonb not null,
  -- every eligible action: [{id, kind, features, propensity, saving, text, why}]
  eligible jsonb not null,
  chosen jsonb not null,
  primary key (tenant_id, id)
);
create index on decision (tenant_id, at desc);

create table feedback (
  tenant_id text not null,
  decision_id uuid not null,
  action_id text not null,
  outcome text not null check (outcome in ('accepted', 'dismissed', 'snoozed')),
  at timestamptz not null default now(),
  by text not null,
  primary key (tenant_id, decision_id, action_id, at),
  foreign key (tenant_id, decision_id) references decision (tenant_id, id) on delete cascade
);

create table policy_state (
  tenant_id text not null references tenant (id) on delete cascade,
  site_id text not null,
  policy text not null,
  state jsonb not null,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, site_id, policy)
);

create table usage_event (
  tenant_id text not null references tenant (id) on delete cascade,
  id text not null,
  at timestamptz not null,
  person text not null,
  kind text not null check (kind in ('view', 'click', 'question')),
  object text not null,
  detail jsonb not null default '{}',
  primary key (tenant_id, id)
);

create table alert (
  tenant_id text not null references tenant (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  kind text not null,
  object text not null,
  severity text not null check (severity in ('info', 'warning', 'fault')),
  -- words are made from kind and detail in the reader's language
  detail jsonb not null default '{}',
  opened_at timestamptz not null,
  closed_at timestamptz,
  primary key (tenant_id, id)
);
create unique index on alert (tenant_id, kind, object) where closed_at is null;

-- Row-level security: a session that has not named its tenant sees nothing.
do $$
declare t record;
begin
  for t in
    select table_name from information_schema.columns
    where table_schema = current_schema() and column_name = 'tenant_id' and table_name <> 'directory'
  loop
    execute format('alter table %I enable row level security', t.table_name);
    execute format('alter table %I force row level security', t.table_name);
    execute format(
      'create policy tenant on %I using (tenant_id = current_setting(''luna.tenant'', true)) '
      'with check (tenant_id = current_setting(''luna.tenant'', true))', t.table_name);
  end loop;
end $$;
