/** A process that delivers what is to be told, until it is killed: `node notify-child.ts HOME`. */
import { openEmbeddedPostgres } from '../../../connectors/database/embedded/embedded.ts';
import { silent } from '../../setup/database.ts';
import { createNotifyRig } from './notify-rig.ts';

const [home = ''] = process.argv.slice(2);
const db = await openEmbeddedPostgres({ home, log: silent });
await createNotifyRig(db).start();
process.stdout.write('ready\n');
