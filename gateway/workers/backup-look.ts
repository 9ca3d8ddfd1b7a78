/** What lies in the backup folder, asked in a process of its own: the folder may hang. */
import { type Claim, claimFolder } from '../backup/claim.ts';
import { type FolderLook, lookAtFolder } from '../backup/look.ts';

export default async (order: Claim & { home: string }): Promise<FolderLook> => {
  if (order.claimed) await claimFolder(order);
  return lookAtFolder(order);
};
