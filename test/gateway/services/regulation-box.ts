/** A service of regulation for tests: its own database and files, jobs that run at once, and what it told others. */
import { join } from 'node:path';
import { createMemoryBus } from '../../../connectors/bus/memory.ts';
import { openFolderFiles } from '../../../connectors/files/folder.ts';
import { createEmbeddedPassages } from '../../../connectors/passages/embedded/embedded.ts';
import { UnavailableError } from '../../../engine/errors.ts';
import type { FileStore, LunaEvent, PassageIndex } from '../../../engine/ports.ts';
import { loadConfig } from '../../../gateway/config.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { answeringVersions, readyVersions } from '../../../gateway/services/regulation/store.ts';
import { createRegulationService, type Regulation } from '../../../gateway/services/regulation.ts';
import type { Actor, DocumentState } from '../../../gateway/services.ts';
import { createDocumentReader, type DocumentReader } from '../../../gateway/workers/document-reader.ts';
import { openTestDatabase, silent } from '../../setup/database.ts';

export const actorOf = (tenant: string): Actor => ({ tenant, person: 'ada', role: 'admin', language: 'en' });
export const ADA = actorOf('default');
export const bytesOf = (text: string) => new TextEncoder().encode(text);
export const FEES =
  '§ 4 Fees\n\nThe annual fee for a smart meter is 20 EUR per meter and year. It is due on 1 March of each year.\n';

export type RegulationTest = Awaited<ReturnType<typeof openRegulationTest>>;

export async function openRegulationTest() {
  const test = await openTestDatabase();
  const files: FileStore = await openFolderFiles({ dir: join(test.home, 'files') });
  const reader = createDocumentReader();
  const opened: Regulation[] = [];
  await test.db.asSystem((sql) =>
    sql(`insert into tenant (id, name) values ('default', 'Default'), ('other', 'Other') on conflict do nothing`),
  );

  /** Jobs run at once, or never, as in a box whose queue is down. */
  function open(options: { jobs?: 'at once' | 'down' | 'never'; reader?: DocumentReader } = {}) {
    const { jobs = 'at once' } = options;
    const bus = createMemoryBus({ log: silent });
    const events: LunaEvent[] = [];
    bus.subscribe((event) => events.push(event));
    const [questions, audits, alerts]: unknown[][] = [[], [], []];
    let handler: (payload: never, signal: AbortSignal) => Promise<void> = async () => {};
    const sent: Promise<void>[] = [];
    // The reader is shared by all tests of this file: a service that stops must not end it.
    const shared = { read: (options.reader ?? reader).read, close: async () => {} };
    const regulation = createRegulationService({
      config: loadConfig({ LUNA_HOME: test.home }),
      ...{ clock: Date, log: silent, metrics: createMetrics({ defaults: false }), bus, db: test.db, files },
      passages: inForceOnly(createEmbeddedPassages()),
      jobs: {
        define: (_, made) => {
          handler = made as typeof handler;
        },
        send: async (_, payload) => {
          if (jobs === 'down') throw new UnavailableError('down');
          if (jobs === 'at once') sent.push(handler(payload as never, new AbortController().signal).catch(() => {}));
        },
      },
      audit: { record: async (...entry) => void audits?.push(entry) },
      alerts: {
        raise: async (...entry) => void alerts?.push(['raise', ...entry]),
        clear: async (...entry) => void alerts?.push(['clear', ...entry]),
      },
      recordQuestion: async (...entry) => questions?.push(entry),
      reader: shared,
    });
    opened.push(regulation);
    const settled = async () => {
      await Promise.allSettled(sent.splice(0));
    };
    return { regulation, events, questions, audits, alerts, settled };
  }

  /** As the box asks it: with the versions that are in force. */
  function inForceOnly(index: PassageIndex): PassageIndex {
    return {
      ...index,
      async search(tenant, asked, limit) {
        const text = typeof asked === 'string' ? asked : asked.text;
        const [all, answering] = await test.db.asTenant(tenant, async (sql) => [
          await readyVersions(sql),
          await answeringVersions(sql),
        ]);
        const versions = new Map<string, string | null>(all.map(({ document }) => [document, null]));
        for (const { document, version } of answering) versions.set(document, version);
        return index.search(tenant, { text, versions }, limit);
      },
    };
  }

  async function uploaded(
    box: { regulation: Regulation; settled(): Promise<void> },
    name: string,
    content: string | Uint8Array,
    more: object = {},
  ): Promise<DocumentState> {
    const bytes = typeof content === 'string' ? bytesOf(content) : content;
    const { id } = await box.regulation.upload(ADA, { name, bytes, ...more });
    await box.settled();
    const found = (await box.regulation.documents('default')).find((document) => document.id === id);
    if (!found) throw new Error('not listed');
    return found;
  }

  return {
    ...{ test, files, reader, open, uploaded },
    /** Between two tests. */
    async clear(): Promise<void> {
      await Promise.all(opened.splice(0).map((service) => service.stop()));
      for (const tenant of ['default', 'other']) await test.db.asTenant(tenant, (sql) => sql('delete from document'));
    },
    async close(): Promise<void> {
      await reader.close();
      await test.close();
    },
  };
}
