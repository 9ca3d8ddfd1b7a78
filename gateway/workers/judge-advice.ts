/** Judges the policies of advice on the log, off the serving thread. */
import { type ContestInput, type ContestResult, holdContest } from '../../recommender/evaluation/contest.ts';

export default function judgeAdvice(input: ContestInput): ContestResult {
  return holdContest(input);
}
