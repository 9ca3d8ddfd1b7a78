/** When unusual becomes an alert: one per thing that is wrong, said again only when it gets much worse. */

export type AlarmOptions = {
  /** An alert opens where the score (−log10 of the pooled p-value) reaches this. */
  threshold: number;
  /** It is said again where the score exceeds the highest one so far by this. */
  worse: number;
  /** It ends when the score stayed below this share of the threshold for so many hours. */
  calm_share: number;
  calm_hours: number;
};

export type Alarm = {
  /** @returns what happened in this hour; null: nothing new. */
  observe(score: number): 'opened' | 'worse' | 'ended' | null;
  readonly open: boolean;
  state(): AlarmState;
};
/** Plain JSON. */
export type AlarmState = { open: boolean; highest: number; calm: number };

export function createAlarm(o: AlarmOptions, from?: AlarmState): Alarm {
  let { open, highest, calm } = from ?? { open: false, highest: 0, calm: 0 };
  return {
    get open() {
      return open;
    },
    observe(score) {
      if (!open) {
        if (!(score >= o.threshold)) return null;
        [open, highest, calm] = [true, score, 0];
        return 'opened';
      }
      calm = score < o.calm_share * o.threshold ? calm + 1 : 0;
      if (calm >= o.calm_hours) {
        open = false;
        return 'ended';
      }
      if (score < highest + o.worse) return null;
      highest = score;
      return 'worse';
    },
    state: () => ({ open, highest, calm }),
  };
}
