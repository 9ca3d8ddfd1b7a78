/** Files of readings (CSV, JSON lines): preview with a guessed mapping, load through the intake, report by line. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { FileSource } from '../../connectors/meters/csv/rows.ts';
import { InvalidDataError, NotAllowedError } from '../../engine/errors.ts';
import type { Reading } from '../../engine/model/reading.ts';
import type { Clock, Database, EventBus, Intake } from '../../engine/ports.ts';
import type { Actor, DeviceService, MeterService, SiteService } from '../services.ts';
import type { UploadReader } from '../workers/upload-reader.ts';

/** CSV and JSON-lines files of readings. */
export interface LoadService {
  /** First rows and a guessed mapping, nothing stored. */
  preview(tenant: string, file: FileSource, fileName: string): Promise<LoadPreview>;
  /** Idempotent; progress over the bus as task `load:<id>`, under `options.id` (a UUID) where given. */
  load(
    actor: Actor,
    file: { name: string } & FileSource,
    mapping?: LoadMapping,
    options?: { id?: string },
  ): Promise<LoadReport>;
  recent(tenant: string): Promise<readonly (LoadReport & { id: string; file_name: string; started_ms: number })[]>;
}

export type LoadMapping = {
  at: string;
  /** Column of the meter id, or null with `meter_id`. */
  meter: string | null;
  meter_id?: string;
  time_zone?: string;
  columns: Record<string, string>;
  decimal_comma?: boolean;
  /** For interval quantities: the column of the interval's start, or the interval's length and which end `at` names. */
  from?: string;
  interval_min?: number;
  interval_stamp?: 'start' | 'end';
  /** Makes meter points that do not exist as push devices; admins only. */
  create_meters?: boolean;
};

export type LoadPreview = { columns: string[]; rows: string[][]; mapping: LoadMapping; problems: string[] };

export type LoadReport = {
  id: string;
  lines: number;
  accepted: number;
  flagged: number;
  rejected: number;
  /** First 1,000. */
  faults: { line: number; problem: string }[];
  unchanged: boolean;
};

export type LoadsDeps = {
  db: Database;
  clock: Clock;
  bus: EventBus;
  intake: Intake;
  site: Pick<SiteService, 'get'>;
  meters: Pick<MeterService, 'get'>;
  devices: Pick<DeviceService, 'create'>;
  uploads: Pick<UploadReader, 'readings' | 'preview'>;
};

/** Readings that go into the journal as one record. */
const BATCH = 2000;
const FAULTS_MAX = 1000;
const PROGRESS_EVERY_MS = 500;

type LoadFile = { name: string } & FileSource;

/** @returns the service. Loads wait for the journal batch by batch, so that a large file cannot run ahead of the disk. */
export function createLoadService(deps: LoadsDeps): LoadService & {
  /** Readings are gone: what was loaded before is no reason any more to load nothing. */
  forget(tenant: string): Promise<void>;
} {
  return {
    preview: (_tenant, file) => deps.uploads.preview(file),
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
  const time_zone = mapping?.time_zone ?? deps.site.get(actor.tenant)?.time_zone ?? null;
  // What the same bytes mean depends on the mapping and the zone as well.
  const sha256 = `${await hashOf(file)}:${shortHash(JSON.stringify([mapping ?? null, time_zone]))}`;
  const known = await knownLoad(deps.db, actor.tenant, sha256);
  if (known) return { ...known, unchanged: true };
  const report: LoadReport = { id, lines: 0, accepted: 0, flagged: 0, rejected: 0, faults: [], unchanged: false };
  await startLoad(deps.db, actor.tenant, report, file.name, sha256);
  const load = createLoading(deps, actor, report, mapping?.create_meters ?? false);
  const total = 'bytes' in file ? file.bytes.length : (await stat(file.path)).size;
  try {
    for await (const { lines, read } of deps.uploads.readings(file, { ...(mapping ? { mapping } : {}), time_zone })) {
      for (const { line, readings, problems } of lines) await load.add(line, readings, problems);
      load.tell(read, total, file.name);
    }
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
