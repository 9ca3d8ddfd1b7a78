/** Documents about energy regulation, and answers that quote them or abstain. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import type { PassageHit, PassageIndex } from '../../engine/ports.ts';
import { readerIdentity } from '../../engine/rag/identity.ts';
import { findQuote, marksOf } from '../../engine/rag/marks.ts';
import type { Actor, AlertService, AuditService, Base, JobService } from '../services.ts';
import { createDocumentReader, type DocumentReader } from '../workers/document-reader.ts';
import { checkQuestion, createAnswerer } from './regulation/ask.ts';
import { createDocumentFiles, type DocumentFiles, type Reading } from './regulation/files.ts';
import { documentState, listDocuments } from './regulation/listing.ts';
import { createPassageLoader } from './regulation/passages.ts';
import { readVersion, type Stage, type VersionKey } from './regulation/read.ts';
import { type AnswerSources, createAnswerSources } from './regulation/sources.ts';
import {
  deleteDocument,
  deleteVersion,
  registerUpload,
  unfinishedVersions,
  type VersionRow,
  versionOf,
} from './regulation/store.ts';
import { beginningOf, checkSize, daysOf, fileNameOf, formatOf, titleOf, versionOfUpload } from './regulation/upload.ts';
import { changeVersion, type ShareChange, shareDocument, type VersionChange } from './regulation/versions.ts';

export type Citation = {
  document: string;
  document_title: string;
  version: string;
  page: number | null;
  section: string;
  quote: string;
  start: number;
  end: number;
};

export type Answer = {
  status: 'answered' | 'abstained';
  /** How sure the answer is of itself, in 0…1; below what is set for it, it abstains. */
  confidence?: number;
  sentences: { text: string; citations: Citation[] }[];
  nearest: {
    document: string;
    document_title: string;
    version: string;
    page: number | null;
    section: string;
    text: string;
    score: number;
  }[];
};

export type DocumentVersionState = {
  version: string;
  /** Null for formats without pages, and before they are counted. */
  pages: number | null;
  language: string;
  /** `pdf`, `docx`, …; null for files of old. */
  format: string | null;
  state: 'queued' | 'reading' | 'ready' | 'refused';
  /** Why it was refused, or why the newest reader could not read it again. */
  reason: string | null;
  uploaded_ms: number;
  uploaded_by: string;
  /** That can be quoted. */
  passages: number;
  /** First and last day in force, `YYYY-MM-DD`; null: nobody said. */
  valid_from: string | null;
  valid_to: string | null;
  /** The version that takes or took its place. */
  replaced_by: string | null;
  /** How it stands today; null while it cannot be quoted. */
  standing: 'in_force' | 'replaced' | 'ended' | 'not_yet' | null;
  /** What is doubtful without keeping it from being read. */
  faults: readonly { where: string; problem: string }[];
  /** Pages whose text was recognised from pictures, and so may be wrong. */
  ocr_pages: number;
};

/** A document in its newest version, and its other versions. */
export type DocumentState = DocumentVersionState & {
  id: string;
  title: string;
  demo: boolean;
  /** Lent to all organisations of the box. */
  shared: boolean;
  /** Ours to change; false for what another organisation shares. */
  own: boolean;
  /** While it is read: how far. */
  stage: Stage | null;
  /** Newest first. */
  others: readonly DocumentVersionState[];
};

export interface RegulationService {
  ask(actor: Actor, question: string): Promise<Answer>;
  /** Own ones and those that are shared, by title. */
  documents(tenant: string): Promise<DocumentState[]>;
  /** Rejects NotFoundError. */
  document(tenant: string, id: string): Promise<DocumentState>;
  /** Passages closest to a text, best first; records nothing. */
  similar(tenant: string, text: string, limit: number): Promise<PassageHit[]>;
  upload(
    actor: Actor,
    file: ({ bytes: Uint8Array } | { path: string }) & {
      name: string;
      title?: string;
      version?: string;
      /** First and last day in force, `YYYY-MM-DD`. */
      valid_from?: string | null;
      valid_to?: string | null;
      demo?: boolean;
    },
  ): Promise<DocumentState>;
  /** From when to when a version is in force and what takes its place; what is left out stays.
   * Rejects InvalidDataError, NotFoundError, NotAllowedError for what another organisation shares. */
  changeVersion(actor: Actor, id: string, version: string, change: VersionChange): Promise<DocumentState>;
  /** Lends a document to all organisations of the box, or takes it back. Only the box's owner may. */
  share(actor: Actor, id: string, change: ShareChange): Promise<DocumentState>;
  remove(actor: Actor, id: string): Promise<void>;
  /** One version of a document; the last one takes the document with it. Rejects as `changeVersion` does. */
  removeVersion(actor: Actor, id: string, version: string): Promise<void>;
  /** Builds the passage index of the tenant anew from the stored passages. */
  reindex(tenant: string): Promise<{ documents: number; passages: number }>;
  file(tenant: string, id: string, version?: string): Promise<{ bytes: Uint8Array; name: string }>;
  /** The boxes (PDF points, origin top left) of a quote on its page, to mark it. */
  marks(
    tenant: string,
    id: string,
    version: string,
    page: number,
    quote: string,
  ): Promise<{
    width: number;
    height: number;
    boxes: { x: number; y: number; width: number; height: number }[];
    text: string;
  }>;
}

export type RegulationDeps = Pick<Base, 'config' | 'clock' | 'log' | 'metrics' | 'bus' | 'db' | 'files'> & {
  passages: PassageIndex;
  jobs: Pick<JobService, 'define' | 'send'>;
  audit: Pick<AuditService, 'record'>;
  alerts?: Pick<AlertService, 'raise' | 'clear'>;
  /** Keeps the question as a usage event. */
  recordQuestion: (actor: Actor, question: string, status: 'answered' | 'abstained') => Promise<unknown>;
  reader?: DocumentReader;
};

export type Regulation = RegulationService & {
  /** What answers are made of. */
  sources: AnswerSources;
  /** After the jobs have started: builds the index from the stored passages and goes on with what a stop cut off. */
  start(): Promise<void>;
  stop(): Promise<void>;
};

const QUEUE = 'read-document';
const JOB_TIMEOUT_S = 600;
/** Characters around a quote that are shown where there is no page. */
const AROUND = 1500;
type Payload = VersionKey;

/** Defines its job at once: create it before the jobs start. */
export function createRegulationService(deps: RegulationDeps): Regulation {
  const { config, clock, log, bus, db, jobs, audit } = deps;
  const files = createDocumentFiles(deps.files);
  const reader = deps.reader ?? createDocumentReader();
  const loader = createPassageLoader({ db, passages: deps.passages });
  const answerFrom = createAnswerer(deps.passages);
  const sources = createAnswerSources({ db, log, files, index: deps.passages, ready: loader.ready });
  const running = new Map<string, { done: Promise<void>; stop: AbortController }>();
  const staged = new Map<string, Stage>();
  const today = () => new Date(clock.now()).toISOString().slice(0, 10);
  const stateOf = (tenant: string, id: string) =>
    db.asTenant(tenant, (sql) => documentState(sql, { tenant, id, today: today(), stages }));
  const stages = (document: string, version: string) => staged.get(`${document} ${version}`) ?? null;

  jobs.define<Payload>(QUEUE, runJob, { timeout_s: JOB_TIMEOUT_S, retries: 5 });

  /** One run per version, whoever asks for it. */
  async function runJob(payload: Payload, signal: AbortSignal): Promise<void> {
    const key = keyOf(payload);
    const known = running.get(key);
    if (known) return known.done;
    const stop = new AbortController();
    const onStage = ({ document, version }: VersionKey, stage: Stage | null) =>
      void (stage ? staged.set(`${document} ${version}`, stage) : staged.delete(`${document} ${version}`));
    const onReady = (row: VersionRow) => refresh(row.tenant, row.document, row.shared);
    const reading = { ...deps, files, reader, onStage, onReady };
    const done = readVersion(reading, payload, AbortSignal.any([signal, stop.signal]));
    running.set(key, { done, stop });
    await done.finally(() => running.delete(key));
  }

  /** In the index of the organisation, and of all that it is shared with. */
  async function refresh(tenant: string, document: string, shared: boolean): Promise<void> {
    await loader.refresh(tenant, document);
    if (!shared) return;
    const all = await db.asSystem((sql) => sql<{ id: string }>('select id from tenant order by id'));
    for (const { id } of all) if (id !== tenant) await loader.refresh(id, document);
  }

  /** Without a working queue the version stays queued and is read after the next start. */
  async function queue(payload: Payload): Promise<void> {
    await jobs
      .send(QUEUE, payload, { dedupe: keyOf(payload) })
      .catch((error: Error) => log.warn({ err: error, ...payload }, 'a document waits: the job queue does not answer'));
  }

  return {
    sources,
    async ask(actor, question) {
      const text = checkQuestion(question);
      await loader.ready(actor.tenant);
      const answer = await answerFrom(actor.tenant, text, sources.textOf(actor.tenant));
      deps.metrics.questions.inc({ tenant: actor.tenant, outcome: answer.status });
      await deps
        .recordQuestion(actor, text, answer.status)
        .catch((error: Error) => log.warn({ err: error }, 'a question could not be recorded'));
      return answer;
    },
    documents: (tenant) => db.asTenant(tenant, (sql) => listDocuments(sql, tenant, today(), stages)),
    document: stateOf,
    async similar(tenant, text, limit) {
      await loader.ready(tenant);
      return deps.passages.search(tenant, text, limit);
    },
    async upload(actor, { name, title, version, valid_from = null, valid_to = null, demo = false, ...source }) {
      const { tenant } = actor;
      const file_name = fileNameOf(name);
      const { head, size } = await beginningOf(source);
      checkSize(file_name, { head, size }, config.upload_max_bytes);
      const format = formatOf(file_name, head);
      const days = daysOf({ valid_from, valid_to });
      const bytes = 'bytes' in source ? source.bytes : await readFile(source.path);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const entry = { title: titleOf(title, file_name), version: versionOfUpload(version), file_name, sha256 };
      // The file first: a row whose file is missing could never be read.
      await files.writeOriginal(tenant, sha256, bytes);
      const upload = {
        ...entry,
        ...days,
        format,
        tenant,
        language: 'en' as const,
        by: actor.person,
        at_ms: clock.now(),
        demo,
      };
      const stored = await db.asTenant(tenant, (sql) => registerUpload(sql, upload));
      if (stored.queued) {
        await audit.record(actor, 'document.upload', stored.id, {
          title: entry.title,
          version: stored.version,
          file_name,
        });
        await queue({ tenant, document: stored.id, version: stored.version });
        bus.publish({ type: 'documents', tenant });
      }
      return stateOf(tenant, stored.id);
    },
    async changeVersion(actor, id, version, change) {
      const changed = await db.asTenant(actor.tenant, (sql) =>
        changeVersion(sql, actor.tenant, { id, version, change }),
      );
      await audit.record(actor, 'document.version', id, { version, ...change });
      await refresh(actor.tenant, id, changed.shared);
      bus.publish({ type: 'documents', tenant: actor.tenant });
      return stateOf(actor.tenant, id);
    },
    async share(actor, id, change) {
      await db.asTenant(actor.tenant, (sql) => shareDocument(sql, actor, id, change));
      await audit.record(actor, 'document.share', id, { ...change });
      await refresh(actor.tenant, id, true);
      bus.publish({ type: 'documents', tenant: actor.tenant });
      return stateOf(actor.tenant, id);
    },
    async remove(actor, id) {
      const { tenant } = actor;
      const state = await stateOf(tenant, id);
      const rows = await db.asTenant(tenant, (sql) => deleteDocument(sql, tenant, id));
      for (const [key, { stop }] of running) if (key.startsWith(`${tenant} ${id} `)) stop.abort();
      await refresh(tenant, id, state.shared);
      for (const { sha256, reader: by } of rows) await files.remove(tenant, sha256, [by, readerIdentity()]);
      await deps.alerts?.clear(tenant, 'document_refused', id);
      await audit.record(actor, 'document.remove', id, { title: state.title });
      bus.publish({ type: 'documents', tenant });
    },
    async removeVersion(actor, id, version) {
      const { tenant } = actor;
      const gone = await db.asTenant(tenant, (sql) => deleteVersion(sql, tenant, id, version));
      running.get(keyOf({ tenant, document: id, version }))?.stop.abort();
      await refresh(tenant, id, gone.shared);
      await files.remove(tenant, gone.sha256, [gone.reader, readerIdentity()]);
      await deps.alerts?.clear(tenant, 'document_refused', id);
      await audit.record(actor, 'document.version.remove', id, { title: gone.title, version });
      bus.publish({ type: 'documents', tenant });
    },
    reindex: (tenant) => loader.rebuild(tenant),
    async file(tenant, id, version) {
      const row = await db.asTenant(tenant, (sql) => versionOf(sql, id, version));
      return { bytes: await files.readOriginal(row.tenant, row.sha256), name: row.file_name };
    },
    async marks(tenant, id, version, page, quote) {
      const row = await db.asTenant(tenant, (sql) => versionOf(sql, id, version || undefined));
      return marksOnPage(files, row, page, quote).catch((error: Error) => {
        // Nothing to mark while it is being read.
        if (error instanceof NotFoundError) return { width: 0, height: 0, boxes: [], text: '' };
        throw error;
      });
    },
    async start() {
      const tenants = await db.asSystem((sql) => sql<{ id: string }>('select id from tenant order by id'));
      for (const { id: tenant } of tenants) {
        // Questions wait for it, the start does not.
        loader
          .ready(tenant)
          .catch((error: Error) => log.error({ err: error, tenant_id: tenant }, 'the passages could not be loaded'));
        const unfinished = await db.asTenant(tenant, (sql) => unfinishedVersions(sql, tenant, readerIdentity()));
        for (const { document, version } of unfinished) await queue({ tenant, document, version });
      }
    },
    async stop() {
      for (const { stop } of running.values()) stop.abort();
      await Promise.allSettled([...running.values()].map(({ done }) => done));
      await reader.close();
      await deps.passages.close();
    },
  };
}

function keyOf({ tenant, document, version }: Payload): string {
  return `${tenant} ${document} ${version}`;
}

/** @throws InvalidDataError for a page that the document does not have. */
async function marksOnPage(files: DocumentFiles, of: Reading, page: number, quote: string) {
  const { text, pages } = await files.text(of);
  const place = pages.findIndex(({ number }) => number === page);
  const box = pages[place];
  if (!box) {
    if (pages.length > 0)
      throw new InvalidDataError(`There is no page ${page}; the document has ${pages.length}.`, 'Pages count from 1.');
    const span = findQuote(text, quote) ?? { start: 0, end: 0 };
    return { width: 0, height: 0, boxes: [], text: text.slice(Math.max(0, span.start - AROUND), span.end + AROUND) };
  }
  const end = pages[place + 1]?.start ?? text.length;
  const span = findQuote(text, quote, box.start);
  const isHere = span !== null && span.start < end && span.end > box.start;
  // A quote that began on the page before.
  const found = isHere ? span : findQuote(text, quote, Math.max(0, box.start - quote.length - AROUND));
  const boxes = found ? marksOf({ segments: await files.layout(of) }, found, page) : [];
  return { width: box.width, height: box.height, boxes, text: text.slice(box.start, end).trim() };
}
