import { createGbdt } from '../../../engine/forecast/gbdt.ts';
import { describeForecastMethod } from '../../contracts/forecast-method.ts';

describeForecastMethod('boosted trees over 90 days', {
  create: () => createGbdt({ window_days: 90, rounds: 60, learning_rate: 0.1 }),
  mae: 4.5,
  explains_within: 1e-8,
});
