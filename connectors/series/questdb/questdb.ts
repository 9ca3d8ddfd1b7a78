import type { DrainedSeries } from '../store.ts';

export async function openQuestDbSeries(_options: { url: string }): Promise<DrainedSeries> {
  throw new Error('coming');
}
