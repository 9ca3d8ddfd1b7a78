-- What was unusual about a meter against its forecast: since when, how much, why, and what people said of it.

create table anomaly (
  tenant_id text not null references tenant (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  meter_id text not null,
  quantity text not null,
  kind text not null check (kind in ('point', 'shift', 'drift', 'shape')),
  since_at timestamptz not null,
  opened_at timestamptz not null,
  -- null while it lasts
  ended_at timestamptz,
  -- −log10 of the pooled p-value, at its highest
  score double precision not null,
  -- actual less expected
  energy_kwh double precision,
  amount double precision,
  currency text,
  -- [{cause, share}], likeliest first
  causes jsonb not null,
  verdict text check (verdict in ('expected', 'real')),
  verdict_by text,
  verdict_at timestamptz,
  primary key (tenant_id, id)
);
create index on anomaly (tenant_id, since_at desc);
create index on anomaly (tenant_id, meter_id, since_at desc);

do $$
begin
  alter table luna.anomaly enable row level security;
  alter table luna.anomaly force row level security;
  create policy tenant on luna.anomaly using (tenant_id = (select luna.bound_tenant()))
    with check (tenant_id = (select luna.bound_tenant()));
end $$;
