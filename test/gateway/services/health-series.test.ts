import { expect, it } from 'vitest';
import { createHealthService, type HealthDeps } from '../../../gateway/services/health.ts';

/** Only what the part of the series store looks at. */
function partOf(warning: string | null) {
  const health = createHealthService({
    clock: Date,
    config: {},
    series: {
      kind: 'questdb',
      ping: async () => {},
      drain: { lag: () => 0, state: () => ({ up: true, warning }) },
    },
    books: { book: () => ({ total: {}, sources: {}, missing: 0, complete: true }) },
    journal: { stats: () => ({ bytes: 0, last_seq: 0, quarantined: [] }) },
    jobs: { depth: async () => [] },
    db: { ping: async () => {} },
    more: [],
  } as unknown as HealthDeps);
  return health.report().then(({ parts }) => parts.find((part) => part.name === 'series store'));
}

it('says in health and doctor that the server of the series store does not sync what it commits', async () => {
  const warning = 'QuestDB runs with cairo.commit.mode=nosync: a power cut may take readings.';
  expect(await partOf(warning)).toMatchObject({ state: 'degraded', text: warning });
  expect(await partOf(null)).toMatchObject({ state: 'ok', text: 'questdb answers' });
});
