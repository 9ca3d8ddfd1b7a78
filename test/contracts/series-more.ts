/** The second half of what every series store must do: names and times of any kind, and what is no longer kept. */
import { afterAll, beforeAll, describe } from 'vitest';
import type { DrainedSeries } from '../../connectors/series/store.ts';
import type { OpenStore } from './series.ts';
import { describeNames } from './series-names.ts';
import { describeRetention, describeTimes } from './series-times.ts';

export function describeSeriesStoreMore(name: string, open: () => Promise<OpenStore>): void {
  describe(`series store, more: ${name}`, () => {
    let opened: OpenStore;
    let store: DrainedSeries;
    let seq = 0;
    const now = () => store;
    const next = () => ++seq;
    const reopen = async () => {
      store = await opened.reopen();
      return store;
    };
    beforeAll(async () => {
      opened = await open();
      store = opened.store;
    }, 90_000);
    afterAll(() => opened?.end(), 30_000);
    describeNames(now, next, reopen);
    describeTimes(now, next);
    describeRetention(now, next, reopen);
  });
}
