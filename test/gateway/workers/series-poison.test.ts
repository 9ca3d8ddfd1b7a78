import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FileJournal, openJournal } from '../../../connectors/journal/journal.ts';
import { UnavailableError } from '../../../engine/errors.ts';
import { erasureOf } from '../../../engine/model/erasure.ts';
import type { JournalledGroup, ReadingGroup } from '../../../engine/model/reading.ts';
import { deadLetterFolder, readDeadLetters } from '../../../gateway/dead-letters.ts';
import { openSeriesWorker } from '../../../gateway/series.ts';
import { createPoisonSearch } from '../../../gateway/workers/series-poison.ts';
import { until } from '../../setup/until.ts';

const T0 = Date.parse('2026-03-01T00:00:00Z');

/** One reading; the time of a poisoned one is no number, which no store can keep. */
function groupOf(n: number, poisoned = false): ReadingGroup {
  const reading = { meter: 'm', quantity: 'power_W', at_ms: poisoned ? Number.NaN : T0 + n, value: n, quality: 0 };
  return { tenant: 'a', source: 'mqtt', device: null, received_ms: T0, readings: [reading] };
}
const numbered = (count: number) =>
  Array.from({ length: count }, (_, n): JournalledGroup => ({ seq: n, ...groupOf(n) }));

describe('groups that the series store refuses', () => {
  let dir: string;
  let journal: FileJournal;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'luna-poison-'));
    journal = await openJournal({ dir: join(dir, 'journal'), max_bytes: 1e9, segment_bytes: 1e6 });
  });
  afterEach(async () => {
    await journal.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('are put aside, counted and kept, and block none of those before and behind them', async () => {
    const poisoned = new Set([1, 700]);
    await journal.append(Array.from({ length: 2000 }, (_, n) => groupOf(n, poisoned.has(n))));
    const series = await openSeriesWorker({
      store: { kind: 'duckdb', file: join(dir, 'series.duckdb'), memory: '256MB' },
      journal_dir: join(dir, 'journal'),
      durable: journal.durable,
      released_seq: 0,
      slots_every_ms: 50,
    });
    try {
      series.drain.start();
      for (const end = Date.now() + 40_000; series.drain.lag() > 0; await sleep(50))
        if (Date.now() > end) throw new Error(`the drain is stuck: ${JSON.stringify(series.drain.state())}`);
      expect(series.drain.state().counts).toEqual({ mqtt: { stored: 1998, duplicate: 0, dead: 2 } });
      expect(series.drain.state().doubled).toBe(0);
      const range = { meter: 'm', quantity: 'power_W', from_ms: T0, to_ms: T0 + 2000 };
      expect((await series.readings.read('a', range)).values).toHaveLength(1998);
      const letters = await readDeadLetters(deadLetterFolder(dir));
      expect(letters.map(({ group }) => group.seq)).toEqual([2, 701]);
      expect(letters[1]).toMatchObject({
        reason: expect.stringMatching(/cannot be converted/),
        group: groupOf(700, true),
      });
      // Erasing what is stored reaches them too.
      for (const [meter, left] of [
        ['other', 2],
        ['m', 0],
      ] as const) {
        const seq = await journal.append([erasureOf('a', [meter], T0 - 1)]);
        series.drain.notify();
        await until(() => (series.drain.state().applied_seq ?? 0) >= seq, 'the erasure');
        expect(await readDeadLetters(deadLetterFolder(dir))).toHaveLength(left);
      }
    } finally {
      await series.close();
    }
  }, 60_000);

  it('are not looked for while the store is away, full or refuses everything', () => {
    const search = createPoisonSearch();
    const refusal = new UnavailableError('The series store could not do it: Conversion Error');
    const one = numbered(1);
    expect(search.refused(one, refusal, false)).toBe('wait');
    for (const text of [
      'IO Error: No space left on device',
      'ENOSPC',
      'QuestDB does not answer or refused: socket hang up',
    ])
      for (let n = 0; n < 9; n++) expect(search.refused(one, new UnavailableError(text), true)).toBe('wait');
    const full = Object.assign(new Error('write'), { code: 'EDQUOT' });
    expect(search.refused(one, new UnavailableError('it failed', '', { cause: full }), true)).toBe('wait');
    const bury = () => {
      for (let n = 0; n < 2; n++) expect(search.refused(one, refusal, true)).toBe('again');
      expect(search.refused(one, refusal, true)).toBe('bury');
      search.buried();
    };
    for (let n = 0; n < 20; n++) bury();
    expect(search.refused(one, refusal, true)).toBe('wait');
    search.applied();
    bury();
  });

  it('are narrowed down by halves', () => {
    const search = createPoisonSearch();
    const refusal = new UnavailableError('The series store could not do it: Conversion Error');
    let groups: readonly JournalledGroup[] = numbered(20_000);
    const sizes = [];
    while (search.refused(groups, refusal, true) === 'smaller') {
      groups = search.take(groups);
      sizes.push(groups.length);
    }
    expect(sizes).toEqual([10000, 5000, 2500, 1250, 625, 312, 156, 78, 39, 19, 9, 4, 2, 1]);
  });
});
