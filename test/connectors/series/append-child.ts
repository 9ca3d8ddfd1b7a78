/** Child of the kill tests: appends numbered groups to a store until it is killed, printing each sequence number. */
import { openDuckDbSeries } from '../../../connectors/series/duckdb/duckdb.ts';
import { openQuestDbSeries } from '../../../connectors/series/questdb/questdb.ts';
import { numberedGroup } from './numbered.ts';

const [kind, where] = process.argv.slice(2) as [string, string];
const store = await (kind === 'duckdb'
  ? openDuckDbSeries({ file: where, memory: '128MB' })
  : openQuestDbSeries({ url: where }));
for (let seq = await store.readings.cursor(); ; ) {
  const groups = Array.from({ length: 20 }, () => numberedGroup(++seq));
  await store.readings.append(groups);
  process.stdout.write(`${seq}\n`);
}
