/** Takes the backup folder for this box, in a process of its own. */
import { type Claim, claimFolder } from '../backup/claim.ts';

export default (claim: Claim): Promise<void> => claimFolder(claim);
