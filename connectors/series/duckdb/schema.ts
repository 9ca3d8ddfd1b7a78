/**
 * Tables of the DuckDB file. Rows name their series by number. No indexes on the large tables: an index costs memory
 * for every row, while data that is appended in order of time is found through DuckDB's minima and maxima per block.
 */
export const SCHEMA = [
  // readings: false where only slots were computed into it
  'create table if not exists series (id integer primary key, tenant varchar not null, meter varchar not null, quantity varchar not null, readings boolean not null)',
  // one row: the journal's last applied sequence number
  'create table if not exists journal_cursor (seq bigint not null)',
  'insert into journal_cursor (seq) select 0 where not exists (select 1 from journal_cursor)',
  // records applied, and those that the journal had lost: as many as seq says when each was applied once
  'alter table journal_cursor add column if not exists applied bigint',
  'update journal_cursor set applied = seq where applied is null',
  // what became of the readings up to seq, as JSON by source
  'alter table journal_cursor add column if not exists counts varchar',
  'create table if not exists reading (series integer not null, "at" bigint not null, value double not null, quality integer not null, from_ms bigint)',
  'create table if not exists reading_change (series integer not null, "at" bigint not null, value double not null, replaced_by double not null, changed_ms bigint not null)',
  // value null: a person said that there is none
  'create table if not exists repair (series integer not null, "at" bigint not null, value double, "by" varchar not null)',
  // series whose slots are older than their readings
  'create table if not exists dirty (series integer not null, from_ms bigint not null, to_ms bigint not null)',
  // "at" counts slots of 15 minutes since 1970
  'create table if not exists slot (series integer not null, "at" integer not null, value double, quality integer not null)',
  'create table if not exists span (series integer not null, from_ms bigint not null, to_ms bigint not null, value double not null, quality integer not null)',
  'create table if not exists price (area varchar not null, market varchar not null, "at" integer not null, value double, currency varchar not null, vat_included boolean not null, source varchar not null, fetched_ms bigint not null)',
  'create sequence if not exists forecast_id',
  'create table if not exists forecast (id bigint not null, tenant varchar not null, series varchar not null, unit varchar not null, made_at_ms bigint not null, model varchar not null, inputs_known_ms bigint not null)',
  'create table if not exists forecast_point (forecast bigint not null, "at" bigint not null, mean double not null, quantiles varchar not null)',
] as const;
