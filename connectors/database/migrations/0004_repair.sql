-- What people changed about readings: each act, and the value of each instant before and after it.

create table repair_act (
  tenant_id text not null references tenant (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  -- later acts lie over earlier ones
  n bigint generated always as identity,
  meter_id text not null,
  quantity text not null,
  from_ms bigint not null,
  to_ms bigint not null,
  kind text not null check (kind in ('values', 'value', 'energy', 'interpolate', 'missing', 'lift', 'undo', 'redo')),
  -- the value or energy that was given
  amount double precision,
  -- of an undo or redo: the act that it takes back or brings again
  target_id uuid,
  taken_back boolean not null default false,
  -- begun: the series store may have it or not, and will get it; revoking: it may have it and will lose it
  state text not null check (state in ('begun', 'done', 'revoking', 'refused')),
  by text not null,
  at timestamptz not null,
  reason text not null check (reason <> ''),
  primary key (tenant_id, id),
  foreign key (tenant_id, target_id) references repair_act (tenant_id, id) on delete cascade
);
create index on repair_act (tenant_id, meter_id, quantity, n);
create index on repair_act (tenant_id, n) where state in ('begun', 'revoking');

-- set: 0 nothing lay over the reading, 1 a value did, 2 it was said to be missing.
-- value: what was shown and counted then; null where there was none.
create table repair_value (
  tenant_id text not null,
  act_id uuid not null,
  at_ms bigint not null,
  before_value double precision,
  before_set smallint not null check (before_set in (0, 1, 2)),
  after_value double precision,
  after_set smallint not null check (after_set in (0, 1, 2)),
  primary key (tenant_id, act_id, at_ms),
  foreign key (tenant_id, act_id) references repair_act (tenant_id, id) on delete cascade
);
create index on repair_value (tenant_id, at_ms);

do $$
declare t text;
begin
  foreach t in array array['repair_act', 'repair_value'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format(
      'create policy tenant on %I using (tenant_id = current_setting(''luna.tenant'', true)) '
      'with check (tenant_id = current_setting(''luna.tenant'', true))', t);
  end loop;
end $$;
