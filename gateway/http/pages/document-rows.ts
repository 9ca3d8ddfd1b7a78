/** Documents as rows of the page, and how far the reading of each has come. */
import type { LunaEvent } from '../../../engine/ports.ts';
import type { DocumentRow } from '../../../web/pages/document-row.ts';
import { OWNER } from '../../owner.ts';
import type { DocumentState } from '../../services.ts';

const TASK = 'document:';

/** Remembers what is told of documents that are being read. */
export function createReadingProgress(subscribe: (listener: (event: LunaEvent) => void) => unknown) {
  const stages = new Map<string, DocumentRow['stage']>();
  subscribe((event) => {
    if (!isProgress(event)) return;
    const key = `${event.tenant} ${event.task.slice(TASK.length)}`;
    if (event.total !== null && event.done >= event.total) stages.delete(key);
    else stages.set(key, { name: 'extract', done: event.done, total: event.total });
  });
  return {
    /** @param lends whether there is anybody to lend a document to */
    rowsOf: (tenant: string, documents: readonly DocumentState[], lends: boolean): DocumentRow[] =>
      documents.map((document) => {
        const told = document.state === 'reading' ? (stages.get(`${tenant} ${document.id}`) ?? null) : null;
        const can_share = document.own && tenant === OWNER && (lends || document.shared);
        return { ...document, stage: document.stage ?? told, can_share };
      }),
  };
}

export function isProgress(event: LunaEvent): event is LunaEvent & { type: 'progress' } {
  return event.type === 'progress' && event.task.startsWith(TASK);
}
