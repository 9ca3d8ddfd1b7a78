/** The job that turns an uploaded file into passages. It may be cut off anywhere and begun again. */
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import type { AlertService, Base } from '../../services.ts';
import type { DocumentReader } from '../../workers/document-reader.ts';
import type { DocumentFiles } from './files.ts';
import { claimVersion, finishVersion, refuseVersion, type VersionRow } from './store.ts';
import { formatOf } from './upload.ts';

export type ReadingDeps = Pick<Base, 'db' | 'bus' | 'log' | 'clock'> & {
  files: DocumentFiles;
  reader: DocumentReader;
  alerts?: Pick<AlertService, 'raise' | 'clear'>;
  /** Called once the passages are in Postgres. */
  onReady(tenant: string, document: string): Promise<void>;
};

const TELL_EVERY_MS = 200;

/** Reads a version that is queued or was being read when the box stopped; does nothing for any other. */
export async function readVersion(
  deps: ReadingDeps,
  { tenant, document, version }: { tenant: string; document: string; version: string },
  signal: AbortSignal,
): Promise<void> {
  const { db, bus, log, alerts } = deps;
  const row = await db.asTenant(tenant, (sql) => claimVersion(sql, document, version));
  if (!row) return;
  bus.publish({ type: 'documents', tenant });
  try {
    await readInto(deps, tenant, row, signal);
    await alerts?.clear(tenant, 'document_refused', document);
  } catch (error) {
    if (!(error instanceof InvalidDataError || error instanceof NotFoundError)) throw error;
    const reason = [error.message, error.remedy].filter(Boolean).join(' ');
    log.warn({ tenant_id: tenant, document, version, reason }, 'a document was refused');
    await db.asTenant(tenant, (sql) => refuseVersion(sql, row, reason));
    await alerts?.raise(tenant, 'document_refused', document, 'warning', { title: row.title, version, reason });
  } finally {
    bus.publish({ type: 'documents', tenant });
  }
}

async function readInto(deps: ReadingDeps, tenant: string, row: VersionRow, signal: AbortSignal): Promise<void> {
  const { db, files, reader } = deps;
  const { document, version, sha256 } = row;
  const bytes = new Uint8Array(await files.readOriginal(tenant, sha256));
  const format = formatOf(row.file_name, bytes);
  const tell = teller(deps, tenant, row);
  tell(0, null);
  const { text, layout, ...read } = await reader.read({ bytes, format }, { signal, onPage: tell });
  await files.writeText(tenant, sha256, { text, layout });
  const ids = read.passages.map((_, i) => `${document}:${version}:${i}`);
  const kept = await db.asTenant(tenant, (sql) => finishVersion(sql, tenant, row, { ...read, ids }));
  if (!kept) return files.remove(tenant, sha256);
  await deps.onReady(tenant, document);
  tell(read.pages ?? 1, read.pages ?? 1);
}

/** Tells waiting pages how far it is, a few times a second. */
function teller({ bus, clock }: ReadingDeps, tenant: string, { document, title }: VersionRow) {
  let told_ms = Number.NEGATIVE_INFINITY;
  return (done: number, total: number | null) => {
    if (done !== total && clock.now() - told_ms < TELL_EVERY_MS) return;
    told_ms = clock.now();
    bus.publish({ type: 'progress', tenant, task: `document:${document}`, done, total, text: title });
  };
}
