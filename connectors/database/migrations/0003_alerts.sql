-- Alerts that reach people: acknowledgement, channels, recipients, and what was told to whom.

alter table alert
  -- by the box's clock; opened_at is when it began
  add column raised_at timestamptz not null default now(),
  -- counts up when an open alert gets worse
  add column round integer not null default 1,
  add column acknowledged_at timestamptz,
  add column acknowledged_by text;
create index on alert (tenant_id, closed_at desc);

create table notify_channel (
  tenant_id text not null references tenant (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  name text not null,
  kind text not null check (kind in ('email', 'webhook', 'mqtt')),
  settings jsonb not null,
  -- passwords and signing secrets, encrypted with the key file outside the database
  sealed text,
  min_severity text not null check (min_severity in ('info', 'warning', 'fault')),
  repeat_min integer check (repeat_min > 0),
  enabled boolean not null default true,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, name)
);

create table notify_recipient (
  tenant_id text not null,
  id uuid not null default gen_random_uuid(),
  channel_id uuid not null,
  name text not null,
  address text,
  language text not null check (language in ('en', 'de')),
  step integer not null check (step between 1 and 9),
  quiet_from_min integer check (quiet_from_min between 0 and 1439),
  quiet_to_min integer check (quiet_to_min between 0 and 1439),
  faults_break_through boolean not null default true,
  enabled boolean not null default true,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, channel_id) references notify_channel (tenant_id, id) on delete cascade,
  check ((quiet_from_min is null) = (quiet_to_min is null) and quiet_from_min <> quiet_to_min)
);

-- No foreign keys to channel and recipient: what was told stays when they go.
create table notify_message (
  tenant_id text not null references tenant (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  recipient_id uuid not null,
  recipient_name text not null,
  channel_id uuid not null,
  channel_name text not null,
  severity text not null check (severity in ('info', 'warning', 'fault')),
  made_at timestamptz not null,
  state text not null default 'waiting' check (state in ('waiting', 'sent', 'given up')),
  -- the other side said that the same again will be refused again
  refused boolean not null default false,
  tries integer not null default 0,
  next_try_at timestamptz not null,
  sent_at timestamptz,
  -- what the other side said last, or why it failed
  outcome text,
  primary key (tenant_id, id)
);
create index on notify_message (tenant_id, made_at desc);
create index on notify_message (tenant_id, next_try_at) where state = 'waiting';

-- The primary key is what makes that nobody is told the same twice, whoever plans and however often.
create table notify_item (
  tenant_id text not null,
  alert_id uuid not null,
  recipient_id uuid not null,
  round integer not null,
  what text not null check (what in ('opened', 'escalated', 'repeated', 'acknowledged', 'solved')),
  n integer not null,
  message_id uuid not null,
  primary key (tenant_id, alert_id, recipient_id, round, what, n),
  foreign key (tenant_id, alert_id) references alert (tenant_id, id) on delete cascade,
  foreign key (tenant_id, message_id) references notify_message (tenant_id, id) on delete cascade
);
create index on notify_item (tenant_id, message_id);

create table notify_attempt (
  tenant_id text not null,
  message_id uuid not null,
  n integer not null,
  at timestamptz not null,
  ok boolean not null,
  text text not null,
  primary key (tenant_id, message_id, n),
  foreign key (tenant_id, message_id) references notify_message (tenant_id, id) on delete cascade
);

do $$
declare t text;
begin
  foreach t in array array['notify_channel', 'notify_recipient', 'notify_message', 'notify_item', 'notify_attempt']
  loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format(
      'create policy tenant on %I using (tenant_id = current_setting(''luna.tenant'', true)) '
      'with check (tenant_id = current_setting(''luna.tenant'', true))', t);
  end loop;
end $$;
