/** What is new since the last backup, in a process of its own. */
import { type FolderLook, lookAtFolder } from '../backup/look.ts';
import { copyRound, type RoundMade, type RoundOrder } from '../backup/round.ts';

export default async (order: RoundOrder): Promise<RoundMade & { look: FolderLook }> => ({
  ...(await copyRound(order)),
  look: await lookAtFolder(order),
});
