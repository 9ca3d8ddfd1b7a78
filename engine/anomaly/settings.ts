/**
 * The one set of settings for all series. Chosen on faults put into loads and weather before any test span (`bench --
 * anomaly-faults`, seeds 1 to 3), by the score of the Numenta benchmark's standard profile; around them the score is flat.
 */
import type { DetectOptions } from './detect.ts';

export const ANOMALY_SETTINGS: DetectOptions = {
  forget: 0.999,
  firmness: 50,
  robust: 5,
  memory_hours: 2000,
  threshold: 1.75,
  worse: 2,
  // Over after a day without anything unusual: with less asked of calm, alerts stayed open for weeks.
  calm_share: 1,
  calm_hours: 24,
  quiet_hours: 48,
  learn_from_alerts: true,
};
