/** What is new since the last backup, off the serving thread. */
import { copyRound, type RoundMade, type RoundOrder } from '../backup/round.ts';

export default (order: RoundOrder): Promise<RoundMade> => copyRound(order);
