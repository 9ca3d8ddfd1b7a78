import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnavailableError } from '../../../engine/errors.ts';
import type { JournalStats, SeriesStore } from '../../../engine/ports.ts';
import { ConfigSchema } from '../../../gateway/config.ts';
import { createStoreWatch } from '../../../gateway/services/store-watch.ts';
import type { AlertService, SiteService } from '../../../gateway/services.ts';
import { silent } from '../../setup/database.ts';

// The clock of this test is played; the disk's is not.
vi.mock('../../../gateway/dead-letters.ts', () => ({
  deadLetterFolder: () => '',
  countDeadLetters: async () => 0,
  readDeadLetters: async () => [],
}));

describe('store watch', () => {
  let up: boolean;
  let said: string[];
  let tenants: string[];
  let tables: string[];
  let pinged: () => Promise<void>;
  let watch: ReturnType<typeof createStoreWatch>;

  beforeEach(() => {
    vi.useFakeTimers();
    [up, said, tenants, tables] = [true, [], ['default', 'other'], []];
    pinged = async () => {
      if (!up) throw new UnavailableError('The store is down.');
    };
    const stats: JournalStats = { last_seq: 0, released_seq: 0, bytes: 0, segments: 1, quarantined: [] };
    watch = createStoreWatch({
      ...{ config: ConfigSchema.parse({ home: '/nonexistent' }), clock: Date, log: silent },
      series: { ping: () => pinged() } as SeriesStore,
      journal: { append: async () => 0, release: async () => {}, stats: () => stats, close: async () => {} },
      health: { look: async () => {} },
      site: { tenants: () => tenants } as unknown as SiteService,
      suspended: () => tables,
      alerts: {
        raise: async (tenant: string, kind: string, _object: string, severity: string) =>
          void said.push(`${tenant} ${kind} ${severity}`),
        clear: async (tenant: string, kind: string) => void said.push(`${tenant} ${kind} over`),
        list: async () => [{ kind: 'series_table_suspended', object: 'slot' }],
      } as unknown as AlertService,
    });
  });
  afterEach(() => {
    watch.close();
    vi.useRealTimers();
  });
  const of = (kind: string) => said.splice(0).filter((line) => line.includes(kind));
  const ofStore = () => of('series_store_down');

  it('raises a failing store after half a minute without any configuration, and clears it', async () => {
    watch.start();
    await vi.advanceTimersByTimeAsync(6000);
    // What a former run may have left open is over: the store answered.
    expect(ofStore()).toEqual(['default series_store_down over', 'other series_store_down over']);
    up = false;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(ofStore()).toEqual([]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(ofStore()).toEqual(['default series_store_down fault', 'other series_store_down fault']);
    up = true;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ofStore()).toEqual(['default series_store_down over', 'other series_store_down over']);
    // A store that is away for a restart is no news.
    up = false;
    await vi.advanceTimersByTimeAsync(20_000);
    up = true;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(ofStore()).toEqual([]);
  });

  it('calls no store solved that is still down when the box starts again', async () => {
    up = false;
    watch.start();
    await vi.advanceTimersByTimeAsync(29_000);
    expect(of('series')).toEqual([]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(ofStore()).toEqual(['default series_store_down fault', 'other series_store_down fault']);
    up = true;
    await vi.advanceTimersByTimeAsync(6000);
    expect(said.toSorted()).toEqual([
      ...['default series_store_down over', 'default series_table_suspended over'],
      ...['other series_store_down over', 'other series_table_suspended over'],
    ]);
  });

  it('tells an organisation that is made during an outage, once', async () => {
    up = false;
    tables = ['slot'];
    watch.start();
    await vi.advanceTimersByTimeAsync(60_000);
    said.length = 0;
    tenants = ['default', 'other', 'third'];
    await vi.advanceTimersByTimeAsync(20_000);
    expect(said).toEqual([
      'third series_store_down fault',
      'third journal_full over',
      'third series_table_suspended fault',
    ]);
  });

  it('ends with the box, also while it looks', async () => {
    let answer = () => {};
    let looks = 0;
    pinged = () => {
      looks++;
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
    watch.start();
    await vi.advanceTimersByTimeAsync(6000);
    watch.close();
    answer();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(looks).toBe(1);
  });
});
