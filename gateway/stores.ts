/** What the box keeps its things in: the relational database, files, the journal and the series store behind it. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { openEmbeddedPostgres } from '../connectors/database/embedded/embedded.ts';
import { openPostgres } from '../connectors/database/postgres/postgres.ts';
import { openFolderFiles } from '../connectors/files/folder.ts';
import type { MovableFiles } from '../connectors/files/place.ts';
import { createS3Files } from '../connectors/files/s3.ts';
import { openJournal } from '../connectors/journal/journal.ts';
import { ERASURE } from '../engine/model/erasure.ts';
import { createDeliveries } from './broker/deliveries.ts';
import type { Config } from './config.ts';
import type { Keep } from './lifecycle.ts';
import type { Metrics } from './metrics.ts';
import { openSeriesWorker } from './series.ts';
import { readHeld } from './services/backups.ts';
import { createLiveValues } from './services/live.ts';

/** Opens them in this order; what was opened is handed to `keep`. */
export async function openStores(
  keep: Keep,
  { config, log, metrics }: { config: Config; log: Logger; metrics: Metrics },
) {
  const db = keep(
    config.database === 'embedded'
      ? await openEmbeddedPostgres({ home: config.home, log })
      : await openPostgres({ url: config.database, owner_url: config.database_owner, key: config.database_key, log }),
  );
  const files = keep(await openFiles(config));
  const live = createLiveValues();
  const deliveries = createDeliveries();
  let newest_ms: number | null = null;
  const journal = keep(
    await openJournal({
      dir: join(config.home, 'journal'),
      max_bytes: config.journal_max_bytes,
      segment_bytes: config.journal_segment_bytes,
      held_seq: await readHeld(config.home),
      onReplay: (group) => {
        newest_ms = Math.max(newest_ms ?? 0, group.received_ms);
        if (group.source === ERASURE) return;
        live.record(group, group.readings);
        if (group.delivery !== undefined) deliveries.restore(group.delivery, group.received_ms);
      },
      onCommit: ({ seconds }) => {
        metrics.journal_fsync_s.observe(seconds);
        series.drain.notify();
      },
    }),
  );
  const series = keep(
    await openSeriesWorker(
      {
        store:
          config.series === 'duckdb'
            ? { kind: 'duckdb', file: join(config.home, 'series.duckdb'), memory: config.duckdb_memory }
            : { kind: 'questdb', url: config.series },
        journal_dir: join(config.home, 'journal'),
        durable: journal.durable,
        released_seq: journal.stats().released_seq,
        given_seq: journal.given_seq,
        unchecked: journal.unchecked,
        keep_readings_days: config.keep_readings_days,
      },
      (labels, seconds) => metrics.query_s.observe(labels, seconds),
    ),
  );
  return { db, files, journal, series, live, deliveries, newest_ms: () => newest_ms };
}

/** Where uploaded documents and their texts lie. A bucket is asked when it is needed. */
export async function openFiles({ files, home }: Pick<Config, 'files' | 'home'>): Promise<MovableFiles> {
  return files === 'folder' ? openFolderFiles({ dir: join(home, 'files') }) : createS3Files(files);
}
