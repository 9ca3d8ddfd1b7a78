/** One backup, off the serving thread. */
import { type BackupMade, type BackupOrder, makeBackup } from '../backup/make.ts';

export default (order: BackupOrder): Promise<BackupMade> => makeBackup(order);
