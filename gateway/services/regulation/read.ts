/** The job that turns an uploaded file into passages. It may be cut off anywhere and begun again. */
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import { readerIdentity } from '../../../engine/rag/identity.ts';
import type { AlertService, Base } from '../../services.ts';
import type { DocumentReader } from '../../workers/document-reader.ts';
import type { DocumentFiles } from './files.ts';
import { claimVersion, finishVersion, refuseVersion, type VersionRow } from './store.ts';
import { formatOf } from './upload.ts';

/** What happens to a document, in this order; `embed` where there is an embedding model. */
export type StageName = 'extract' | 'structure' | 'store' | 'index' | 'embed';
export type Stage = { name: StageName; done: number; total: number | null };
export type VersionKey = { tenant: string; document: string; version: string };

export type ReadingDeps = Pick<Base, 'db' | 'bus' | 'log' | 'clock'> & {
  files: DocumentFiles;
  reader: DocumentReader;
  alerts?: Pick<AlertService, 'raise' | 'clear'>;
  /** Where it stands, null at the end. */
  onStage(of: VersionKey, stage: Stage | null): void;
  /** Called once the passages are in Postgres. */
  onReady(row: VersionRow): Promise<void>;
};

const TELL_EVERY_MS = 200;
/** The list of documents is made anew for this. */
const LIST_EVERY_MS = 1000;

/** Reads a version that is queued, was being read when the box stopped, or was read by an older reader; else nothing. */
export async function readVersion(deps: ReadingDeps, of: VersionKey, signal: AbortSignal): Promise<void> {
  const { db, bus, log, alerts } = deps;
  const { tenant, document, version } = of;
  const identity = readerIdentity();
  const row = await db.asTenant(tenant, (sql) => claimVersion(sql, of, identity));
  if (!row) return;
  const tell = teller(deps, of, row);
  tell('extract', 0, null);
  try {
    await readInto(deps, row, tell, signal);
    await alerts?.clear(tenant, 'document_refused', document);
  } catch (error) {
    if (!(error instanceof InvalidDataError || error instanceof NotFoundError)) throw error;
    const reason = [error.message, error.remedy].filter(Boolean).join(' ');
    log.warn({ tenant_id: tenant, document, version, reason }, 'a document was refused');
    await db.asTenant(tenant, (sql) => refuseVersion(sql, row, reason, identity));
    await alerts?.raise(tenant, 'document_refused', document, 'warning', { title: row.title, version, reason });
  } finally {
    deps.onStage(of, null);
    bus.publish({ type: 'documents', tenant });
  }
}

type Tell = (name: StageName, done: number, total: number | null) => void;

async function readInto(deps: ReadingDeps, row: VersionRow, tell: Tell, signal: AbortSignal): Promise<void> {
  const { db, files, reader } = deps;
  const { tenant, sha256 } = row;
  const bytes = new Uint8Array(await files.readOriginal(tenant, sha256));
  const { text, layout, ...read } = await reader.read(
    { bytes, format: formatOf(row.file_name, bytes) },
    {
      signal,
      onPage: (done, total) => tell('extract', done, total),
      onStructure: () => tell('structure', 0, null),
    },
  );
  tell('store', 0, read.passages.length);
  const now = { tenant, sha256, reader: readerIdentity() };
  await files.writeText(now, { text, layout });
  const kept = await db.asTenant(tenant, (sql) => finishVersion(sql, row, { ...read, reader: now.reader }));
  if (!kept) return files.remove(tenant, sha256, [row.reader, now.reader]);
  tell('index', 0, read.passages.length);
  await deps.onReady(row);
  // Until here questions were answered from what the older reader had made.
  if (row.state === 'ready' && row.reader !== now.reader) await files.removeText({ ...now, reader: row.reader });
  const total = read.pages ?? 1;
  tell('index', total, total);
}

/** Tells waiting pages how far it is, a few times a second. */
function teller({ bus, clock, onStage }: ReadingDeps, of: VersionKey, { title, document, tenant }: VersionRow): Tell {
  let told: { name: StageName; at_ms: number; list_ms: number } | null = null;
  return (name, done, total) => {
    const now_ms = clock.now();
    const isNew = told?.name !== name;
    onStage(of, { name, done, total });
    if (!isNew && done !== total && now_ms - (told?.at_ms ?? 0) < TELL_EVERY_MS) return;
    bus.publish({ type: 'progress', tenant, task: `document:${document}`, done, total, text: title });
    const list = isNew || now_ms - (told?.list_ms ?? 0) >= LIST_EVERY_MS;
    if (list) bus.publish({ type: 'documents', tenant });
    told = { name, at_ms: now_ms, list_ms: list ? now_ms : (told?.list_ms ?? 0) };
  };
}
