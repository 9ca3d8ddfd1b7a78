/** Places that write files of their own, each by its own module, on a disk that is full: run where it may mount. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { openFolderFiles } from '../../../connectors/files/folder.ts';
import { diskFiles, writeWhole } from '../../../connectors/journal/files.ts';
import { openJournal } from '../../../connectors/journal/journal.ts';
import { openJournalReader } from '../../../connectors/journal/reader.ts';
import { createEmbeddedPassages } from '../../../connectors/passages/embedded/embedded.ts';
import { openDuckDbSeries } from '../../../connectors/series/duckdb/duckdb.ts';
import { UnavailableError } from '../../../engine/errors.ts';
import type { JournalledGroup } from '../../../engine/model/reading.ts';
import type { Passage } from '../../../engine/ports.ts';
import { keptSecret, storedSecret } from '../../../gateway/auth/secrets.ts';
import { mendLog } from '../../../gateway/broker/session-log.ts';
import { openSessions } from '../../../gateway/broker/sessions.ts';
import type { Config } from '../../../gateway/config.ts';
import { buryGroup, readDeadLetters } from '../../../gateway/dead-letters.ts';
import { chosenFolderOf, spool } from '../../../gateway/http/api/uploads.ts';
import { createImportFiles } from '../../../gateway/http/pages/import-files.ts';
import { appendHeads, readHeadFile } from '../../../gateway/services/audit-head-file.ts';
import { createBackupMemory, readHeld } from '../../../gateway/services/backup-memory.ts';
import { openCountFile } from '../../../gateway/services/count-file.ts';
import type { Actor } from '../../../gateway/services.ts';
import { loadCertificate } from '../../../gateway/tls.ts';
import { putDown } from '../../../gateway/workers/upload-reader.ts';
import { mountSmallDisk } from './small-disk.ts';

/** `all`: everything that was kept must be there; `last`: what was kept last; `nothing` is looked for. */
type Keeps = 'all' | 'last' | 'nothing';
type Place = {
  /** Rejects with ENOSPC or UnavailableError when `n` is not kept. */
  write(n: number): Promise<void>;
  close(): Promise<void>;
};
type FileSite = {
  name: string;
  keeps: Keeps;
  /** Goes on while the disk is full. */
  needs_no_room?: true;
  open(dir: string): Promise<Place>;
  /** The numbers that are there after a restart. */
  read(dir: string): Promise<number[]>;
};

const none = async () => {};
const LONG = 'x'.repeat(20_000);

function groupOf(n: number, readings: number): JournalledGroup {
  return {
    ...{ seq: n, tenant: 'a', source: 'mqtt', device: null, received_ms: 1.7e12 + n },
    readings: Array.from({ length: readings }, (_, i) => ({
      ...{ meter: `meter-${i % 50}`, quantity: 'power_W', at_ms: 1.7e12 + n * 1e6 + i, value: n + i / 1e6, quality: 0 },
    })),
  };
}

const IMPORTER: Actor = { tenant: 'a', person: 'anna', role: 'analyst', language: 'en' };

/** Some kilobytes of index a passage. */
function passageOf(n: number): Passage {
  const text = Array.from({ length: 2000 }, (_, i) => `word${n}x${i}`).join(' ');
  return {
    ...{ id: `p${n}`, document: String(n), document_title: 'Rule', version: 'v1', page: 1, section: 'One', text },
    ...{ start: 0, end: text.length, language: 'en' },
  };
}

const SITES: readonly FileSite[] = [
  {
    name: 'journal',
    keeps: 'all',
    async open(dir) {
      const journal = await openJournal({ dir, max_bytes: 2 ** 30, segment_bytes: 2 ** 18 });
      return { write: async (n) => void (await journal.append([groupOf(n, 2000)])), close: () => journal.close() };
    },
    async read(dir) {
      const reader = await openJournalReader(dir);
      const found: number[] = [];
      for (let seq = 0; ; ) {
        const groups = await reader.read(seq, 2 ** 20);
        if (groups.length === 0) break;
        found.push(...groups.map(({ readings }) => readings[0]!.value));
        seq = groups.at(-1)!.seq;
      }
      await reader.close();
      return found;
    },
  },
  {
    name: 'counts of readings',
    keeps: 'last',
    needs_no_room: true,
    async open(dir) {
      const file = await openCountFile(join(dir, 'counts'));
      await file.read();
      return { write: (n) => file.save({ n }), close: () => file.close() };
    },
    async read(dir) {
      const file = await openCountFile(join(dir, 'counts'));
      const { n } = (await file.read()) as { n: number };
      await file.close();
      return [n];
    },
  },
  {
    name: 'signed heads of the audit log',
    keeps: 'all',
    open: async (dir) => ({
      write: (id) => appendHeads(dir, [{ tenant: 'a', id, hash: 'h', at: 'now', key_id: 'k', signature: LONG }]),
      close: none,
    }),
    read: async (dir) => (await readHeadFile(dir)).map(({ id }) => id),
  },
  {
    name: 'documents, weather and previews (files)',
    keeps: 'last',
    async open(dir) {
      const files = await openFolderFiles({ dir });
      const write = (n: number) => files.write('a', 'weather', Buffer.from(`${n} ${LONG}`));
      return { write, close: () => files.close() };
    },
    read: async (dir) => [
      Number.parseInt((await (await openFolderFiles({ dir })).read('a', 'weather')).toString(), 10),
    ],
  },
  {
    name: 'keys and sealed secrets',
    keeps: 'all',
    open: async (dir) => ({ write: async (n) => void (await keptSecret(join(dir, String(n)))), close: none }),
    async read(dir) {
      const names = readdirSync(dir);
      for (const name of names) await storedSecret(join(dir, name));
      return names.map(Number);
    },
  },
  {
    name: 'readings put aside',
    keeps: 'all',
    open: async (dir) => ({
      write: (n) => buryGroup(dir, groupOf(n, 300), { reason: 'refused', refused_ms: 0 }),
      close: none,
    }),
    read: async (dir) => (await readDeadLetters(dir)).map(({ group }) => group.seq),
  },
  {
    name: 'small files of the clock and its quarantine',
    keeps: 'last',
    open: async (dir) => ({
      write: (n) => writeWhole(diskFiles, dir, join(dir, 'clock.json'), [Buffer.from(`{"n":${n}}`)]),
      close: none,
    }),
    read: async (dir) => [(await import(join(dir, 'clock.json'), { with: { type: 'json' } })).default.n as number],
  },
  {
    name: 'what the backups hold',
    keeps: 'last',
    async open(dir) {
      const memory = createBackupMemory(dir);
      return { write: (n) => memory.hold(n), close: none };
    },
    read: async (dir) => [(await readHeld(dir))!],
  },
  {
    name: 'uploads on their way',
    keeps: 'nothing',
    open: async (dir) => ({
      write: async (n) => void (await spool(new Response(`${n} ${LONG}`).body, dir)),
      close: none,
    }),
    read: async () => [],
  },
  {
    name: 'tables on their way to the process that reads them',
    keeps: 'nothing',
    // Without the process: what it needs is a file, and its start would take longer than all the rest.
    open: async (dir) => ({
      write: async (n) => void (await rm(await putDown(dir, Buffer.from(`${n} ${LONG}`)))),
      close: none,
    }),
    // A name that is no number, so that what stays behind is told.
    read: async (dir) => readdirSync(dir).map(Number),
  },
  {
    name: 'files that were chosen to import',
    keeps: 'last',
    open: async (dir) => ({
      write: async (n) => {
        const path = await spool(new Response(`${n} ${LONG}`).body, dir);
        await createImportFiles({ home: dir })
          .keep(IMPORTER, path)
          .finally(() => rm(path, { force: true }));
      },
      close: none,
    }),
    async read(dir) {
      const chosen = chosenFolderOf(dir);
      return readdirSync(chosen).map((name) => Number.parseInt(readFileSync(join(chosen, name), 'utf8'), 10));
    },
  },
  {
    name: 'the index of documents',
    keeps: 'all',
    open: async (dir) => ({
      async write(n) {
        let fault: Error | null = null;
        const onFault = (error: Error) => {
          fault = error;
        };
        const index = createEmbeddedPassages({ dir, onFault });
        await index.add('a', [passageOf(n)]);
        await index.close();
        if (fault) throw fault;
      },
      close: none,
    }),
    async read(dir) {
      const index = createEmbeddedPassages({ dir });
      const held = (await index.contents?.('a')) ?? [];
      await index.close();
      return held.map(({ document }) => Number(document));
    },
  },
  {
    name: "the broker's sessions",
    keeps: 'all',
    async open(dir) {
      const { store, sessions } = await openStore(dir);
      return {
        async write(n) {
          const subscription = { topic: `a/${n}/${'t'.repeat(3000)}`, qos: 1 as const };
          sessions.allow(subscription);
          await sessions.persistence.addSubscriptions({ id: 'a.client' } as never, [subscription]);
        },
        close: () => store.close(),
      };
    },
    async read(dir) {
      const { store, sessions } = await openStore(dir);
      const all = await sessions.persistence.subscriptionsByClient({ id: 'a.client' } as never);
      await store.close();
      return all.map(({ topic }) => Number(topic.split('/')[1]));
    },
  },
  {
    name: 'the certificate that the box makes itself',
    keeps: 'nothing',
    needs_no_room: true,
    open: async (home) => ({
      async write() {
        const made = await loadCertificate({ tls: 'self-made', home } as Config, Date.now());
        if (!/BEGIN CERTIFICATE/.test(made!.cert) || !/PRIVATE KEY/.test(made!.key)) throw new Error('no certificate');
      },
      close: none,
    }),
    read: async () => [],
  },
  {
    name: 'series store (DuckDB)',
    keeps: 'all',
    async open(dir) {
      const open = () => openDuckDbSeries({ file: join(dir, 'series.duckdb'), memory: '64MB' });
      let store = await open();
      return {
        // As the drain: what failed is closed, opened anew and tried again.
        write: (n) =>
          store.readings.append([groupOf(n, 5_000)]).then(
            () => {},
            async (error: unknown) => {
              await store.close();
              store = await open();
              throw error;
            },
          ),
        close: () => store.close(),
      };
    },
    async read(dir) {
      const store = await openDuckDbSeries({ file: join(dir, 'series.duckdb'), memory: '64MB' });
      const range = { meter: 'meter-0', quantity: 'power_W', from_ms: 0, to_ms: 9e12 };
      const { values } = await store.readings.read('a', range);
      await store.close();
      return [...values].filter(Number.isInteger);
    },
  },
];

async function openStore(dir: string) {
  const store = new ClassicLevel<string, Buffer>(dir, { valueEncoding: 'buffer' });
  await store.open();
  mendLog(store);
  return { store, sessions: await openSessions(store, () => {}) };
}

const ATTEMPTS = 60;

/** What went wrong at one place, in words; nothing when it kept its promise. */
async function faultsOf(site: FileSite, disk: ReturnType<typeof mountSmallDisk>): Promise<string[]> {
  const dir = join(disk.dir, site.name.replace(/\W+/g, '-'));
  await mkdir(dir, { recursive: true });
  const faults: string[] = [];
  const kept: number[] = [];
  let n = 0;
  const attempt = async (place: Place): Promise<'kept' | 'refused'> => {
    n++;
    try {
      await place.write(n);
      kept.push(n);
      return 'kept';
    } catch (error) {
      const full =
        error instanceof UnavailableError ||
        /ENOSPC|No space left/i.test(`${(error as Error).message} ${String((error as NodeJS.ErrnoException).code)}`);
      if (!full) faults.push(`unclear refusal: ${(error as Error).message}`);
      return 'refused';
    }
  };
  const place = await site.open(dir);
  if ((await attempt(place)) !== 'kept') faults.push('refused although there is room');
  disk.fill();
  let refused = false;
  for (let i = 0; i < ATTEMPTS && !refused; i++) refused = (await attempt(place)) === 'refused';
  if (refused === (site.needs_no_room ?? false)) faults.push(refused ? 'refused' : 'never refused');
  disk.makeRoom();
  let again = await attempt(place);
  for (let i = 0; i < 3 && again === 'refused'; i++) again = await attempt(place);
  if (again === 'refused') faults.push('does not go on although there is room');
  await place.close();
  const there = new Set(await site.read(dir));
  const owed = site.keeps === 'all' ? kept : site.keeps === 'last' ? kept.slice(-1) : [];
  const lost = owed.filter((one) => !there.has(one));
  if (lost.length > 0) faults.push(`lost ${lost.join(', ')} of ${kept.length}`);
  if (there.has(Number.NaN)) faults.push('left something half written');
  return faults;
}

/** As small as the series store lets it be: it is filled once for each place. */
const DISK_MB = 12;

export type FileOutcome = { site: string; faults: string[] };

/** One place after the other, on a disk of their own. */
export async function checkFileSites(onOutcome: (outcome: FileOutcome) => void): Promise<void> {
  const disk = mountSmallDisk(DISK_MB);
  try {
    for (const site of SITES) {
      const faults = await faultsOf(site, disk).catch((error: Error) => [`failed: ${error.message}`]);
      onOutcome({ site: site.name, faults });
    }
  } finally {
    disk.end();
  }
}
