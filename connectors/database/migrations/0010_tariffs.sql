-- The tariff of a site, as YAML (docs/guides/tariffs.md), in versions that hold from a day on. What a site paid so far,
-- one price, becomes its first version (engine/tariff/simple.ts writes the same).

create table tariff_version (
  tenant_id text not null references tenant (id) on delete cascade,
  site_id text not null,
  -- a local day of the tariff's own time zone
  valid_from date not null,
  yaml text not null,
  by text not null,
  at timestamptz not null,
  primary key (tenant_id, site_id, valid_from),
  foreign key (tenant_id, site_id) references site (tenant_id, id) on delete cascade
);

-- an owner that is no superuser sees no rows while row-level security is forced
alter table site no force row level security;
insert into tariff_version (tenant_id, site_id, valid_from, yaml, by, at)
select tenant_id, id, date '1970-01-01',
  format(E'name: Energy price\ncurrency: "%s"\ntime_zone: "%s"\nvat_percent: %s\nenergy:\n',
    currency, time_zone, coalesce(energy_price ->> 'vat_percent', '0'))
  || case when energy_price ->> 'kind' = 'day-ahead'
    then format(E'  - name: Market price\n    market: { area: "%s", kind: day-ahead, factor: %s, fee_per_kWh: %s }\n',
      energy_price ->> 'area', energy_price ->> 'factor', energy_price ->> 'fee_per_kWh')
    else format(E'  - name: Energy\n    price_per_kWh: %s\n', coalesce(energy_price ->> 'per_kWh', '0')) end,
  'system', now()
from site;
alter table site force row level security;
alter table site drop column energy_price;

alter table tariff_version enable row level security;
alter table tariff_version force row level security;
create policy tenant on tariff_version using (tenant_id = (select luna.bound_tenant()))
  with check (tenant_id = (select luna.bound_tenant()));
