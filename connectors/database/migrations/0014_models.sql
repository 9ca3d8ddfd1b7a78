-- The registry of forecast models: every training run, how it did on days it had not seen, which one is live.

create table model_run (
  tenant_id text not null references tenant (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  series text not null,
  horizon text not null check (horizon in ('intraday', 'day-ahead', 'gate-closure', 'planning')),
  recipe text not null,
  state text not null default 'running' check (state in ('running', 'done', 'failed', 'cancelled')),
  started_at timestamptz not null,
  duration_ms bigint,
  -- what it learned from
  data_from timestamptz,
  data_to timestamptz,
  data_values bigint,
  data_hash text,
  code_version text not null,
  parameters jsonb not null,
  seed bigint not null,
  device text not null,
  -- what came of it: errors per split of the backtest, the hash of the artefact in the file store
  metrics jsonb not null default '{}',
  model_hash text,
  artefact text,
  artefact_bytes bigint,
  reason text,
  exported_at timestamptz,
  primary key (tenant_id, id)
);
create index on model_run (tenant_id, series, horizon, started_at desc);

-- Errors of a local day, forecast by a run from what was known before: of the backtest, then day by day.
create table model_day (
  tenant_id text not null,
  run_id uuid not null,
  day date not null,
  kind text not null check (kind in ('backtest', 'live')),
  hours integer not null,
  mae double precision not null,
  naive_mae double precision,
  inside90 double precision,
  bias double precision not null,
  primary key (tenant_id, run_id, day),
  foreign key (tenant_id, run_id) references model_run (tenant_id, id) on delete cascade
);

create table model_live (
  tenant_id text not null references tenant (id) on delete cascade,
  series text not null,
  horizon text not null,
  champion uuid not null,
  former uuid,
  pinned boolean not null default false,
  since timestamptz not null,
  barred uuid[] not null default '{}',
  primary key (tenant_id, series, horizon),
  foreign key (tenant_id, champion) references model_run (tenant_id, id)
);

-- What was asked of `predict`, so that it can be explained later.
create table prediction (
  tenant_id text not null references tenant (id) on delete cascade,
  id uuid not null,
  series text not null,
  at timestamptz not null,
  made_at timestamptz not null,
  -- the run that made it; null: the forecaster that needs no training
  run_id uuid,
  model text not null,
  unit text not null,
  mean double precision not null,
  quantiles jsonb not null,
  primary key (tenant_id, id)
);
create index on prediction (tenant_id, made_at);

-- Features of each local hour as known at the origin of its day; the names belong to the source's version.
create table features_hourly (
  tenant_id text not null references tenant (id) on delete cascade,
  series text not null,
  at timestamptz not null,
  names text[] not null,
  values double precision[] not null,
  source_version text not null,
  created_at timestamptz not null,
  primary key (tenant_id, series, at)
);

do $$
declare t text;
begin
  foreach t in array array['model_run', 'model_day', 'model_live', 'prediction', 'features_hourly'] loop
    execute format('alter table luna.%I enable row level security', t);
    execute format('alter table luna.%I force row level security', t);
    execute format(
      'create policy tenant on luna.%I using (tenant_id = (select luna.bound_tenant())) '
      'with check (tenant_id = (select luna.bound_tenant()))', t);
  end loop;
end $$;
