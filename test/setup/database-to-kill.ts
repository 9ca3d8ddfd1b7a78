/** A process that opens the embedded database in the given home, says so, and waits to be killed. */
import { openEmbeddedPostgres } from '../../connectors/database/embedded/embedded.ts';
import { silent } from './database.ts';

const [home = ''] = process.argv.slice(2);
const db = await openEmbeddedPostgres({ home, log: silent });
await db.asSystem((sql) => sql(`insert into tenant (id, name) values ('kept', 'Kept') on conflict do nothing`));
process.stdout.write('ready\n');
setInterval(() => db.ping().catch(() => {}), 50);
