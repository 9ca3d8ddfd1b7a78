/** One backup, in a process of its own. */
import { type FolderLook, lookAtFolder } from '../backup/look.ts';
import { type BackupMade, type BackupOrder, makeBackup } from '../backup/make.ts';

export default async (order: BackupOrder): Promise<BackupMade & { look: FolderLook }> => ({
  ...(await makeBackup(order)),
  look: await lookAtFolder(order),
});
