-- The log of decisions for ever: what was eligible with which propensity, what was chosen, and the rewards that came.

-- Null in decisions of the spine, which cannot be made again. `learnt`: seq of the last reward that the policy knew.
alter table decision
  add column state_hash text,
  add column learnt bigint,
  add column moment jsonb,
  add column slate integer;

-- What was at stake when it was answered: dismissed advice returns when it is half as much again.
alter table feedback add column stake double precision;
create index on feedback (tenant_id, at desc);

-- What policies learn, in order; a policy's state follows from it. `value`: accept 1, dismiss 0, or the share of the
-- expected saving that the meters showed. Silence leaves no row.
create table reward (
  tenant_id text not null,
  seq bigint not null,
  id uuid not null default gen_random_uuid(),
  decision_id uuid not null,
  action_id text not null,
  position integer not null,
  source text not null check (source in ('answer', 'effect')),
  value double precision not null,
  delay_ms bigint not null,
  at timestamptz not null,
  outcome jsonb not null,
  primary key (tenant_id, seq),
  unique (tenant_id, decision_id, action_id, source),
  foreign key (tenant_id, decision_id) references decision (tenant_id, id) on delete cascade
);

-- What accepted advice brought, measured later against the forecast of its time.
create table effect (
  tenant_id text not null,
  decision_id uuid not null,
  action_id text not null,
  accepted_at timestamptz not null,
  due_at timestamptz not null,
  state text not null default 'waiting' check (state in ('waiting', 'measured', 'unknown')),
  measured_at timestamptz,
  amount double precision,
  share double precision,
  currency text,
  primary key (tenant_id, decision_id, action_id),
  foreign key (tenant_id, decision_id) references decision (tenant_id, id) on delete cascade
);
create index on effect (tenant_id, due_at) where state = 'waiting';

-- After the update, so that row-level security has the first word.
create function written_once() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'A row of % is written once.', tg_table_name;
end $$;
create trigger written_once after update on decision for each row execute function luna.written_once();
create trigger written_once after update on reward for each row execute function luna.written_once();

-- States of the spine's policy mean nothing to those of today.
alter table policy_state no force row level security;
delete from policy_state;
alter table policy_state force row level security;

do $$
declare t text;
begin
  foreach t in array array['reward', 'effect'] loop
    execute format('alter table luna.%I enable row level security', t);
    execute format('alter table luna.%I force row level security', t);
    execute format(
      'create policy tenant on luna.%I using (tenant_id = (select luna.bound_tenant())) '
      'with check (tenant_id = (select luna.bound_tenant()))', t);
  end loop;
end $$;
