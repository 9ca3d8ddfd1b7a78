/** Models of the sample building: a trained one is live, others compete. */
import { HOUR_MS, slotStart } from '../../engine/model/time.ts';
import type { Clock } from '../../engine/ports.ts';
import type { DayRow, ModelRun } from '../../gateway/services/models/rows.ts';
import type { Services } from '../../gateway/services.ts';
import { noise } from './sample-curves.ts';

const DAY_MS = 24 * HOUR_MS;
const id = (k: number) => `00000000-0000-4000-8000-00000000000${k}`;
const MAE = { load: 4_100, generation: 2_300, price: 10.4 } as const;

export function sampleModels(clock: Clock): Pick<Services, 'models' | 'predictions'> {
  const today = Math.floor(clock.now() / DAY_MS);
  const run = (k: number, series: keyof typeof MAE, recipe: string, worse: number): ModelRun & { days: DayRow[] } => {
    const mae = MAE[series] * worse;
    const days = Array.from(
      { length: 28 },
      (_, d): DayRow => ({
        ...{ run: id(k), day: today - 28 + d, kind: 'backtest', hours: 24, bias: 0, inside90: 0.9 },
        mae: mae * (1 + 0.25 * noise((today - 28 + d) * DAY_MS, k)),
        naive_mae: MAE[series] * 1.5 * (1 + 0.25 * noise((today - 28 + d) * DAY_MS, 9)),
      }),
    );
    return {
      ...{ id: id(k), series, horizon: 'day-ahead', recipe, state: 'done', started_ms: clock.now() - 9 * HOUR_MS },
      ...{ duration_ms: 4200, data: null, code_version: '0.1.0', parameters: {}, seed: 1, device: 'cpu' },
      ...{ metrics: { mae }, model_hash: null, artefact: null, artefact_bytes: null, reason: null, exported_ms: null },
      days,
    };
  };
  return {
    models: {
      async list(_, wanted) {
        const series = wanted === 'generation' || wanted === 'price' ? wanted : 'load';
        const live = { champion: id(1), former: id(2), pinned: false, since_ms: clock.now() - 5 * DAY_MS, barred: [] };
        const runs = [
          run(1, series, `${series}-mix/1`, 1),
          run(2, series, 'hourly-ridge/1', 1.15),
          run(3, series, 'seasonal-naive/1', 1.5),
        ];
        return [{ series, horizon: 'day-ahead', live: { series, horizon: 'day-ahead', ...live }, runs }];
      },
      training: () => ({ done: 3.4, total: 12, text: 'load-mix/1', started_ms: clock.now() - 20_000 }),
      train: async () => [],
      cancel: async () => true,
      promote: async () => {},
      pin: async () => {},
      rollBack: async () => {},
    } as Partial<Services['models']> as Services['models'],
    predictions: {
      explainAt: async (_: string, series: string, at_ms: number) => ({
        ...{ id: id(7), series: series as 'load', at_ms: slotStart(at_ms), made_ms: clock.now(), model: 'load-mix/1' },
        ...{ unit: 'W', mean: 84_000, quantiles: {} },
        explanation: {
          base: 60_000,
          contributions: [
            { feature: 'd-1', value: 80_000, adds: 18_000 },
            { feature: 'weekday', value: 2, adds: 4_500 },
            { feature: 'd-7', value: 82_000, adds: 3_000 },
            { feature: 'season (sine)', value: 0.4, adds: -1_500 },
          ],
        },
      }),
    } as Partial<Services['predictions']> as Services['predictions'],
  };
}
