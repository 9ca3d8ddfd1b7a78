import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnavailableError } from '../../../engine/errors.ts';
import type { JournalStats, SeriesStore } from '../../../engine/ports.ts';
import { ConfigSchema } from '../../../gateway/config.ts';
import { createStoreWatch } from '../../../gateway/services/store-watch.ts';
import type { AlertService, SiteService } from '../../../gateway/services.ts';
import { silent } from '../../setup/database.ts';

describe('store watch', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('raises a failing store after half a minute without any configuration, and clears it', async () => {
    let up = false;
    const said: string[] = [];
    const stats: JournalStats = { last_seq: 0, released_seq: 0, bytes: 0, segments: 1, quarantined: [] };
    const watch = createStoreWatch({
      ...{ config: ConfigSchema.parse({ home: '/nonexistent' }), clock: Date, log: silent },
      series: {
        ping: async () => {
          if (!up) throw new UnavailableError('The store is down.');
        },
      } as SeriesStore,
      journal: { append: async () => 0, release: async () => {}, stats: () => stats, close: async () => {} },
      health: { look: async () => {} },
      site: { tenants: () => ['default', 'other'] } as unknown as SiteService,
      alerts: {
        raise: async (tenant: string, kind: string, _object: string, severity: string) =>
          void said.push(`${tenant} ${kind} ${severity}`),
        clear: async (tenant: string, kind: string) => void said.push(`${tenant} ${kind} over`),
      } as unknown as AlertService,
    });
    const ofStore = () => said.splice(0).filter((line) => line.includes('series_store_down'));
    watch.start();
    await vi.advanceTimersByTimeAsync(25_000);
    expect(ofStore()).toEqual(['default series_store_down over', 'other series_store_down over']);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(ofStore()).toEqual(['default series_store_down fault', 'other series_store_down fault']);
    up = true;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ofStore()).toEqual(['default series_store_down over', 'other series_store_down over']);
    watch.close();
  });
});
