/** A process that has a DuckDB file open, so that no other can. */
import { DuckDBInstance } from '@duckdb/node-api';

const instance = await DuckDBInstance.create(process.argv[2]);
process.once('disconnect', () => {
  instance.closeSync();
  process.exit(0);
});
process.send?.('held');
