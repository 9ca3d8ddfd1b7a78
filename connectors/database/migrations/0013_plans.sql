-- Plans: the movable devices of a site, what was planned, what people set by hand, what grid operators asked, and what
-- it all saved. Settings of a plan are a row of `setting`.

create table plan_device (
  tenant_id text not null references tenant (id) on delete cascade,
  site_id text not null,
  id text not null,
  -- engine/dispatch/plan-devices.ts
  settings jsonb not null,
  by text not null,
  at timestamptz not null,
  primary key (tenant_id, site_id, id),
  foreign key (tenant_id, site_id) references site (tenant_id, id) on delete cascade
);

create table plan (
  tenant_id text not null references tenant (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  site_id text not null,
  made_at timestamptz not null,
  -- why it was made: schedule, prices, forecast, tariff, reality, devices, override, signal, person
  cause text not null,
  body jsonb not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, site_id) references site (tenant_id, id) on delete cascade
);
create index on plan (tenant_id, site_id, made_at desc);

create table plan_override (
  tenant_id text not null references tenant (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  site_id text not null,
  device_id text not null,
  from_at timestamptz not null,
  to_at timestamptz not null,
  -- + discharges, - charges or draws
  power_w double precision not null,
  -- what it was expected to cost when it was set
  cost double precision,
  by text not null,
  at timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, site_id, device_id) references plan_device (tenant_id, site_id, id) on delete cascade
);

-- Reductions under section 14a EnWG, each kept as evidence.
create table grid_signal (
  tenant_id text not null references tenant (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  site_id text not null,
  source text not null,
  received_at timestamptz not null,
  from_at timestamptz not null,
  -- null: until it is taken back
  to_at timestamptz,
  asked_w double precision not null,
  minimum_w double precision not null,
  limit_w double precision not null,
  devices jsonb not null,
  -- when setpoints that keep it went out, or the devices were seen below it
  obeyed_at timestamptz,
  ended_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, site_id) references site (tenant_id, id) on delete cascade
);
create index on grid_signal (tenant_id, site_id, from_at desc);

-- What the controllable devices drew while a signal held, each minute; null: not measured.
create table grid_signal_draw (
  tenant_id text not null references tenant (id) on delete cascade,
  signal_id uuid not null,
  at timestamptz not null,
  drawn_w double precision,
  detail jsonb not null,
  primary key (tenant_id, signal_id, at),
  foreign key (tenant_id, signal_id) references grid_signal (tenant_id, id) on delete cascade
);

create table simulation (
  tenant_id text not null references tenant (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  site_id text not null,
  asked jsonb not null,
  by text not null,
  at timestamptz not null,
  state text not null check (state in ('waiting', 'running', 'done', 'failed')),
  done integer not null default 0,
  total integer not null default 0,
  result jsonb,
  problem text,
  primary key (tenant_id, id),
  foreign key (tenant_id, site_id) references site (tenant_id, id) on delete cascade
);
create index on simulation (tenant_id, site_id, at desc);

-- The ledger: what a month saved, on what was measured. Computed again when readings or the tariff change.
create table savings_month (
  tenant_id text not null references tenant (id) on delete cascade,
  site_id text not null,
  month text not null,
  computed_at timestamptz not null,
  body jsonb not null,
  primary key (tenant_id, site_id, month),
  foreign key (tenant_id, site_id) references site (tenant_id, id) on delete cascade
);

do $$
declare t text;
begin
  foreach t in array array['plan_device', 'plan', 'plan_override', 'grid_signal', 'grid_signal_draw', 'simulation', 'savings_month'] loop
    execute format('alter table luna.%I enable row level security', t);
    execute format('alter table luna.%I force row level security', t);
    execute format(
      'create policy tenant on luna.%I using (tenant_id = (select luna.bound_tenant())) '
      'with check (tenant_id = (select luna.bound_tenant()))', t);
  end loop;
end $$;
