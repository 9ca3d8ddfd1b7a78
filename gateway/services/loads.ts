/** Files of readings (CSV, JSON lines): preview with a guessed mapping, load through the intake, report by line. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createRowConverter, type RowConverter } from '../../connectors/meters/csv/convert.ts';
import { guessMapping, mappingProblems } from '../../connectors/meters/csv/guess.ts';
import { type FileRow, type FileSource, inspectFile, readRows } from '../../connectors/meters/csv/rows.ts';
import type { FileKind } from '../../connectors/meters/csv/sniff.ts';
import { InvalidDataError, NotAllowedError } from '../../engine/errors.ts';
import type { Reading } from '../../engine/model/reading.ts';
import type { Clock, Database, EventBus, Intake } from '../../engine/ports.ts';
import { decodePush } from '../../engine/quality/push.ts';
import type {
  Actor,
  DeviceService,
  LoadMapping,
  LoadPreview,
  LoadReport,
  LoadService,
  MeterService,
  SiteService,
} from '../services.ts';

export type LoadsDeps = {
  db: Database;
  clock: Clock;
  bus: EventBus;
  intake: Intake;
  site: Pick<SiteService, 'get'>;
  meters: Pick<MeterService, 'get'>;
  devices: Pick<DeviceService, 'create'>;
};

/** Readings that go into the journal as one record, and rows that are looked at for a guess. */
const BATCH = 2000;
const SAMPLE_ROWS = 50;
const FAULTS_MAX = 1000;
const PROGRESS_EVERY_MS = 500;

type LoadFile = { name: string } & FileSource;

/** @returns the service. Loads wait for the journal batch by batch, so that a large file cannot run ahead of the disk. */
export function createLoadService(deps: LoadsDeps): LoadService & {
  /** Readings are gone: what was loaded before is no reason any more to load nothing. */
  forget(tenant: string): Promise<void>;
} {
  return {
    async preview(_tenant, bytes) {
      const kind = await inspectFile({ bytes });
      return kind.format === 'csv' ? previewCsv({ bytes }, kind) : previewJson({ bytes }, kind);
    },
    load: (actor, file, mapping, options) => loadFile(deps, actor, file, mapping, options?.id ?? randomUUID()),
    recent: (tenant) => recentLoads(deps.db, tenant),
    forget: (tenant) => forgetLoads(deps.db, tenant),
  };
}

async function loadFile(
  deps: LoadsDeps,
  actor: Actor,
  file: LoadFile,
  mapping: LoadMapping | undefined,
  id: string,
): Promise<LoadReport> {
  if (mapping?.create_meters && actor.role !== 'admin')
    throw new NotAllowedError('Only admins may add meter points.', 'Ask an admin, or load without create_meters.');
  const kind = await inspectFile(file);
  const time_zone = mapping?.time_zone ?? deps.site.get(actor.tenant)?.time_zone ?? null;
  // What the same bytes mean depends on the mapping and the zone as well.
  const sha256 = `${await hashOf(file)}:${shortHash(JSON.stringify([mapping ?? null, time_zone]))}`;
  const known = await knownLoad(deps.db, actor.tenant, sha256);
  if (known) return { ...known, unchanged: true };
  const report: LoadReport = { id, lines: 0, accepted: 0, flagged: 0, rejected: 0, faults: [], unchanged: false };
  await startLoad(deps.db, actor.tenant, report, file.name, sha256);
  const load = createLoading(deps, actor, report, mapping?.create_meters ?? false);
  const total = 'bytes' in file ? file.bytes.length : (await stat(file.path)).size;
  const rows = readRows(file, kind, (read) => load.tell(read, total, file.name));
  try {
    await (kind.format === 'csv' ? loadCsv(rows, load, kind, mapping, time_zone) : loadJson(rows, load, mapping));
    await load.flush();
  } catch (error) {
    // What was broken off half-way stays in the list, without an end; what never began does not.
    if (report.accepted + report.flagged === 0) await forgetLoad(deps.db, actor.tenant, id);
    throw error;
  }
  await endLoad(deps.db, actor.tenant, report);
  load.tell(total, total, file.name, true);
  return report;
}

async function loadCsv(
  rows: AsyncGenerator<FileRow>,
  load: Loading,
  kind: FileKind,
  given: LoadMapping | undefined,
  time_zone: string | null,
): Promise<void> {
  const head = await takeRows(rows, SAMPLE_ROWS + 1);
  const header = head.shift()?.cells ?? [];
  const guess = given
    ? null
    : guessMapping(
        header,
        head.map((row) => row.cells ?? []),
      );
  const mapping = given ?? guess!.mapping;
  const problems = guess?.problems ?? mappingProblems(mapping, header);
  if (problems.length > 0)
    throw new InvalidDataError(
      `The columns ${header.map((name) => `"${name.trim()}"`).join(', ')} (line ${kind.preamble_lines + 1}) cannot be used: ${problems.join(' ')}`,
      'Name them at,meter,<quantity>…, or give a mapping.',
    );
  const convert = createRowConverter(header, mapping, time_zone);
  for (const row of head) await addCsvRow(load, convert, row);
  for await (const row of rows) await addCsvRow(load, convert, row);
}

async function addCsvRow(load: Loading, convert: RowConverter, row: FileRow): Promise<void> {
  const { readings, problems } = convert(row.cells ?? []);
  await load.add(row.line, readings, problems);
}

async function loadJson(rows: AsyncGenerator<FileRow>, load: Loading, mapping?: LoadMapping): Promise<void> {
  const meter = mapping?.meter_id ?? null;
  for await (const { line, value, problem } of rows) {
    // A file has no time of arrival: NaN makes a missing `at` a fault of its line.
    const pushed = problem === undefined ? decodePush(value, { meter, arrival_ms: Number.NaN }) : null;
    await load.add(line, pushed?.readings ?? [], pushed?.rejected.map((one) => one.problem) ?? [problem!]);
  }
}

type Loading = {
  add(line: number, readings: readonly Reading[], problems: readonly string[]): Promise<void>;
  flush(): Promise<void>;
  tell(done: number, total: number, file: string, last?: boolean): void;
};

function createLoading(deps: LoadsDeps, actor: Actor, report: LoadReport, create_meters: boolean): Loading {
  let batch: Reading[] = [];
  let lines: number[] = [];
  let told_ms = 0;
  const made = new Set<string>();
  const fault = (line: number, problem: string) => {
    report.rejected++;
    if (report.faults.length < FAULTS_MAX) report.faults.push({ line, problem });
  };
  async function flush(): Promise<void> {
    if (batch.length === 0) return;
    const [readings, places] = [batch, lines];
    [batch, lines] = [[], []];
    if (create_meters) await makeMeters(deps, actor, readings, made);
    const { tenant } = actor;
    const outcome = await deps.intake({
      tenant,
      source: 'import',
      device: null,
      received_ms: deps.clock.now(),
      readings,
    });
    report.accepted += outcome.accepted;
    report.flagged += outcome.flagged;
    for (const { index, problem } of outcome.rejected) fault(places[index]!, problem);
  }
  return {
    async add(line, readings, problems) {
      report.lines++;
      for (const problem of problems) fault(line, problem);
      for (const reading of readings) {
        batch.push(reading);
        lines.push(line);
      }
      if (batch.length >= BATCH) await flush();
    },
    flush,
    tell(done, total, file, last = false) {
      const now_ms = performance.now();
      if (!last && now_ms - told_ms < PROGRESS_EVERY_MS) return;
      told_ms = now_ms;
      const text = `${file}: ${report.accepted + report.flagged} values, ${report.rejected} refused`;
      deps.bus.publish({ type: 'progress', tenant: actor.tenant, task: `load:${report.id}`, done, total, text });
    },
  };
}

async function makeMeters(
  deps: LoadsDeps,
  actor: Actor,
  readings: readonly Reading[],
  made: Set<string>,
): Promise<void> {
  for (const { meter } of readings) {
    if (made.has(meter)) continue;
    made.add(meter);
    if (deps.meters.get(actor.tenant, meter)) continue;
    // An id that cannot be one stays unknown, and the intake says so with its lines.
    await deps.devices.create(actor, { id: meter, connection: { kind: 'push' } }).catch((error: unknown) => {
      if (!(error instanceof InvalidDataError)) throw error;
    });
  }
}

async function takeRows(rows: AsyncGenerator<FileRow>, count: number): Promise<FileRow[]> {
  const taken: FileRow[] = [];
  while (taken.length < count) {
    const { value, done } = await rows.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}

const PREVIEW_ROWS = 8;

async function previewCsv(source: FileSource, kind: FileKind): Promise<LoadPreview> {
  const rows = readRows(source, kind);
  const head = await takeRows(rows, SAMPLE_ROWS + 1);
  await rows.return(undefined);
  const columns = (head.shift()?.cells ?? []).map((name) => name.trim());
  const cells = head.map((row) => row.cells ?? []);
  return { columns, rows: cells.slice(0, PREVIEW_ROWS), ...guessMapping(columns, cells) };
}

async function previewJson(source: FileSource, kind: FileKind): Promise<LoadPreview> {
  const rows = readRows(source, kind);
  const head = await takeRows(rows, PREVIEW_ROWS);
  await rows.return(undefined);
  const columns = [...new Set(head.flatMap(({ value }) => (isObject(value) ? Object.keys(value) : [])))];
  const cells = head.map(({ value }) => columns.map((name) => (isObject(value) ? textOf(value[name]) : '')));
  const problems = head.flatMap(({ line, problem }) => (problem ? [`Line ${line}: ${problem}`] : []));
  const named = columns.filter((name) => !['at', 'meter', 'from', 'to'].includes(name));
  const mapping = { at: 'at', meter: columns.includes('meter') ? 'meter' : null };
  return {
    columns,
    rows: cells,
    mapping: { ...mapping, columns: Object.fromEntries(named.map((n) => [n, n])) },
    problems,
  };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);

async function hashOf(source: FileSource): Promise<string> {
  const hash = createHash('sha256');
  if ('bytes' in source) hash.update(source.bytes);
  else for await (const piece of createReadStream(source.path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/**
 * A finished load of the same bytes in the same way. One that refused lines is done again, since its cause may be gone,
 * and so is one from before readings were erased.
 */
async function knownLoad(db: Database, tenant: string, sha256: string): Promise<LoadReport | null> {
  const rows = await db.asTenant(tenant, (sql) =>
    sql<{ report: LoadReport }>(
      `select report from data_load where sha256 = $1 and ended_at is not null and not exists (
         select 1 from audit where act = 'remove device' and detail->>'erase_readings' = 'true' and at >= started_at
       ) order by ended_at desc limit 1`,
      [sha256],
    ),
  );
  const report = rows[0]?.report;
  return report && report.rejected === 0 ? report : null;
}

/** They stay in the list, but equal no file any more. */
export async function forgetLoads(db: Database, tenant: string): Promise<void> {
  await db.asTenant(tenant, (sql) => sql(`update data_load set sha256 = ''`));
}

async function startLoad(
  db: Database,
  tenant: string,
  report: LoadReport,
  name: string,
  sha256: string,
): Promise<void> {
  await db.asTenant(tenant, (sql) =>
    sql('insert into data_load (tenant_id, id, file_name, sha256, report) values ($1, $2, $3, $4, $5)', [
      tenant,
      report.id,
      name.slice(0, 255),
      sha256,
      JSON.stringify(report),
    ]),
  );
}

async function endLoad(db: Database, tenant: string, report: LoadReport): Promise<void> {
  await db.asTenant(tenant, (sql) =>
    sql('update data_load set ended_at = now(), report = $2 where id = $1', [report.id, JSON.stringify(report)]),
  );
}

async function forgetLoad(db: Database, tenant: string, id: string): Promise<void> {
  await db.asTenant(tenant, (sql) => sql('delete from data_load where id = $1', [id]));
}

async function recentLoads(db: Database, tenant: string): ReturnType<LoadService['recent']> {
  const rows = await db.asTenant(tenant, (sql) =>
    sql<{ file_name: string; started_at: Date; report: LoadReport }>(
      'select file_name, started_at, report from data_load order by started_at desc limit 50',
    ),
  );
  return rows.map(({ file_name, started_at, report }) => ({ ...report, file_name, started_ms: +new Date(started_at) }));
}
