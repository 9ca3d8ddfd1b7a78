-- What a document's structure tells (headings, paragraph, kind of text), which of its versions is in force when, by
-- which reader it was taken apart, and documents that one organisation shares with all others of the box.

alter table document
  add column shared boolean not null default false,
  -- so that what hangs on a document can hold its `shared` by foreign key
  add constraint document_shared unique (tenant_id, id, shared);

alter table document_version
  add column shared boolean not null default false,
  add column format text check (format in ('pdf', 'markdown', 'html', 'text', 'docx')),
  -- first and last day in force; null is unknown on that side
  add column valid_from date,
  add column valid_to date,
  -- the version that takes its place, where somebody said so; otherwise the next by valid_from and upload
  add column replaced_by text,
  -- the reader (parser and chunker) that made its text and passages; null is one from before they had names
  add column reader text,
  -- a newer reader that could not read it: not tried again
  add column reader_failed text,
  -- what went wrong or is doubtful without keeping it from being read: [{"where": …, "problem": …}]
  add column faults jsonb not null default '[]',
  -- pages whose text was made by text recognition, and so may be wrong
  add column ocr_pages integer not null default 0,
  -- names that people and other laws call it by, as its title and its first lines tell (EnWG, REMIT)
  add column short_names text[] not null default '{}',
  add constraint document_version_shared unique (tenant_id, document_id, version, shared),
  add constraint document_version_valid check (valid_to >= valid_from),
  add constraint document_version_of foreign key (tenant_id, document_id, shared)
    references document (tenant_id, id, shared) on update cascade on delete cascade,
  add constraint document_version_replaced foreign key (tenant_id, document_id, replaced_by)
    references document_version (tenant_id, document_id, version) on delete set null (replaced_by);

alter table passage
  add column shared boolean not null default false,
  -- outermost first; `section` is the same in one line
  add column headings text[] not null default '{}',
  -- of the section: § 14a, Article 5, 3.2.1
  add column number text,
  -- of the section, as the document counts: (1), (a)(2)
  add column paragraph text,
  add column kind text not null default 'text' check (kind in ('text', 'table', 'footnote')),
  add column page_end integer,
  -- place in the document, counted from 0
  add column position integer not null default 0,
  -- first sentence it holds, counted from 1 in its paragraph
  add column sentence integer not null default 1,
  add constraint passage_of foreign key (tenant_id, document_id, version, shared)
    references document_version (tenant_id, document_id, version, shared) on update cascade on delete cascade;
create index passage_place on passage (tenant_id, document_id, version, position);
create index passage_number on passage (tenant_id, document_id, version, number) where number is not null;

-- Others may read what is shared; the policy `tenant` keeps every change to the organisation that owns it.
do $$
declare t text;
begin
  foreach t in array array['document', 'document_version', 'passage'] loop
    execute format('create policy shared on luna.%I for select using (shared and (select luna.bound_tenant()) <> ''*'')', t);
  end loop;
end $$;
