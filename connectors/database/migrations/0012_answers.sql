-- Conversations, the runs that answer a question step by step, what the language model was asked and said, what people
-- said about it, and how good the answers are. Questions and texts are kept without personal data (engine/rag/redact.ts).

create table conversation (
  tenant_id text not null references tenant (id) on delete cascade,
  id uuid not null,
  -- who asked; a sign-in name
  person text not null,
  title text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id)
);
create index on conversation (tenant_id, person, updated_at desc);

create table answer_run (
  tenant_id text not null,
  id uuid not null,
  conversation_id uuid not null,
  person text not null,
  role text not null check (role in ('admin', 'analyst', 'user')),
  language text not null check (language in ('en', 'de')),
  question text not null,
  state text not null check (state in ('running', 'paused', 'asking', 'done', 'stopped', 'failed')),
  -- what was found out so far: the steps' results laid one over another
  memory jsonb not null default '{}',
  answer jsonb,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, conversation_id) references conversation (tenant_id, id) on delete cascade
);
create index on answer_run (tenant_id, conversation_id, created_at);
create index on answer_run (tenant_id, created_at);
create index on answer_run (tenant_id) where state = 'running';

create table answer_step (
  tenant_id text not null,
  run_id uuid not null,
  seq integer not null,
  name text not null check (name in ('plan', 'retrieve', 'solve', 'critic', 'finish')),
  -- what this step found out
  result jsonb not null,
  begun_at timestamptz not null,
  ms integer not null,
  primary key (tenant_id, run_id, seq),
  foreign key (tenant_id, run_id) references answer_run (tenant_id, id) on delete cascade
);

create table answer_feedback (
  tenant_id text not null,
  run_id uuid not null,
  person text not null,
  verdict text not null check (verdict in ('useful', 'not_useful')),
  comment text not null default '',
  at timestamptz not null,
  primary key (tenant_id, run_id, person),
  foreign key (tenant_id, run_id) references answer_run (tenant_id, id) on delete cascade
);

-- A task exists from when a person confirmed it.
create table answer_task (
  tenant_id text not null,
  run_id uuid not null,
  title text not null,
  confirmed_by text not null,
  confirmed_at timestamptz not null,
  done_by text,
  done_at timestamptz,
  primary key (tenant_id, run_id),
  foreign key (tenant_id, run_id) references answer_run (tenant_id, id) on delete cascade
);

-- Every request to a language model, whatever came of it. Stays when the conversation is removed.
create table model_audit (
  tenant_id text not null references tenant (id) on delete cascade,
  id bigint generated always as identity,
  run_id uuid not null,
  at timestamptz not null,
  person text not null,
  question text not null,
  prompt text not null,
  -- [{id, document, version}]
  passages jsonb not null,
  model text not null,
  model_digest text,
  answer text not null,
  fault text,
  -- [{text, ok, fault}]
  verdicts jsonb not null default '[]',
  latency_ms integer not null,
  prompt_tokens integer not null,
  answer_tokens integer not null,
  cost_eur double precision not null,
  primary key (tenant_id, id)
);
create index on model_audit (tenant_id, at desc);

create table model_eval_results (
  tenant_id text not null references tenant (id) on delete cascade,
  id bigint generated always as identity,
  at timestamptz not null,
  -- `extractive`, or the model's name and the beginning of its digest
  model_version text not null,
  -- which questions: `golden` or `headings`
  question_set text not null,
  questions integer not null,
  answered integer not null,
  -- share of the drafted sentences that the verifier let pass
  grounding_pct double precision,
  -- share of the sentences shown that do not hold when they are verified anew
  unsupported_pct double precision,
  abstained_pct double precision,
  -- of the answered, those whose citation stands where the question set says
  right_pct double precision,
  p95_ms integer not null,
  detail jsonb not null default '{}',
  primary key (tenant_id, id)
);
create index on model_eval_results (tenant_id, at desc);

do $$
declare t text;
begin
  foreach t in array array[
    'conversation', 'answer_run', 'answer_step', 'answer_feedback', 'answer_task', 'model_audit', 'model_eval_results'
  ] loop
    execute format('alter table luna.%I enable row level security', t);
    execute format('alter table luna.%I force row level security', t);
    execute format(
      'create policy tenant on luna.%I using (tenant_id = (select luna.bound_tenant())) '
      'with check (tenant_id = (select luna.bound_tenant()))', t);
  end loop;
end $$;
