/** Tables of the box's names that something else made, and servers that do not sync. */
import { describe, expect, it } from 'vitest';
import { openQuestDbSeries } from '../../../../connectors/series/questdb/questdb.ts';
import { createTableSql } from '../../../../connectors/series/questdb/schema.ts';
import { ConfigError } from '../../../../engine/errors.ts';
import type { QuestdbServer } from '../../../setup/questdb.ts';

const right = createTableSql('reading');
const WRONG: readonly [string, string, RegExp][] = [
  ['no DEDUP keys', right.replace(/ dedup.*/, ''), /DEDUP keys are none instead of at, series/],
  ['a key too many', right.replace('keys(at, series)', 'keys(at, series, seq)'), /DEDUP keys are .*seq/],
  ['another partition', right.replace('by week', 'by day'), /partitioned by DAY instead of WEEK/],
  ['another type', right.replace('value double', 'value float'), /column value is float instead of double/],
  ['a column missing', right.replace('from_ms long, ', ''), /column from_ms is missing instead of long/],
  ['no log', right.replace(/ wal .*/, ' bypass wal'), /it has no WAL/],
  ['another time', right.replaceAll('at timestamp', 'ts timestamp').replaceAll('(at', '(ts'), /its time is ts/],
  ['nanoseconds', right.replace('at timestamp)', 'at timestamp_ns)'), /timestamp_ns/],
  ['an end of its own', right.replace(' wal ', ' ttl 4 weeks wal '), /TTL/],
];

export function describeSchema(server: () => QuestdbServer): void {
  describe('a table of another making', () => {
    for (const [what, statement, fault] of WRONG)
      it(`with ${what} is refused in words, and nothing is written`, async () => {
        await server().wipe();
        await server().sql(statement);
        const refused = await openQuestDbSeries({ url: server().url }).catch((error: unknown) => error);
        expect(refused).toBeInstanceOf(ConfigError);
        expect((refused as Error).message).toMatch(/luna_reading/);
        expect((refused as Error).message).toMatch(fault);
        expect(await server().sql("select table_name from tables() where starts_with(table_name, 'luna_')")).toEqual([
          ['luna_reading'],
        ]);
        expect(await server().sql('select count() from luna_reading')).toEqual([[0]]);
      }, 30_000);

    it('with a column more than ours is taken', async () => {
      await server().wipe();
      await server().sql(right.replace('seq long', 'seq long, note varchar'));
      const store = await openQuestDbSeries({ url: server().url });
      expect(await store.readings.cursor()).toBe(0);
      expect(store.warning).toBeNull();
      await store.close();
    }, 60_000);
  });
}
