-- What finds passages: embeddings kept by the text they are of, the glossary as an organisation changed it, golden sets
-- and how well they were answered.

create table embedding (
  tenant_id text not null references luna.tenant (id) on delete cascade,
  -- identity of the model: digest, dimensions, prefixes
  model text not null,
  -- SHA-256 of the text
  digest bytea not null check (length(digest) = 32),
  -- 32-bit floats, little endian, of length 1
  vector bytea not null,
  primary key (tenant_id, model, digest)
);

-- On top of the glossary that the box comes with; an entry without legal words takes one of those away.
create table glossary_entry (
  tenant_id text not null references luna.tenant (id) on delete cascade,
  language text not null check (language in ('en', 'de')),
  lay text not null,
  legal text[] not null,
  changed_by text not null,
  changed_at timestamptz not null,
  primary key (tenant_id, language, lay)
);

create table golden_set (
  tenant_id text not null references luna.tenant (id) on delete cascade,
  name text not null,
  -- [{"question", "document", "section", "class"?, "half"?}]
  questions jsonb not null,
  changed_by text not null,
  changed_at timestamptz not null,
  primary key (tenant_id, name)
);

create table retrieval_evaluation (
  tenant_id text not null references luna.tenant (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  golden_set text not null,
  at timestamptz not null,
  questions integer not null,
  -- share of the answerable questions whose section was among the first five, and first
  recall5 double precision not null,
  recall1 double precision not null,
  mrr10 double precision not null,
  p95_ms double precision not null,
  -- share of the meaning, and of what: null without a model
  weight double precision not null,
  model text,
  -- share of the truly nearest passages that the index finds
  ann_recall double precision,
  -- recall5 and recall1 of each class
  classes jsonb not null default '{}',
  primary key (tenant_id, id)
);
create index retrieval_evaluation_history on retrieval_evaluation (tenant_id, golden_set, at desc);

do $$
declare t text;
begin
  foreach t in array array['embedding', 'glossary_entry', 'golden_set', 'retrieval_evaluation'] loop
    execute format('alter table luna.%I enable row level security', t);
    execute format('alter table luna.%I force row level security', t);
    execute format('create policy tenant on luna.%I using (tenant_id = (select luna.bound_tenant())) '
      'with check (tenant_id = (select luna.bound_tenant()))', t);
  end loop;
end $$;
