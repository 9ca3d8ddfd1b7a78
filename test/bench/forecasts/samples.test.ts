/** Samples of the benches of forecasts: a few days of each. The data stay outside the repository. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as nab from '../anomaly-nab.bench.ts';
import { benchData } from '../epf/data.ts';
import * as epf from '../epf.bench.ts';
import * as quantiles from '../epf-quantiles.bench.ts';
import * as gbdt from '../gbdt.bench.ts';
import * as load from '../load.bench.ts';
import * as lstm from '../lstm.bench.ts';
import * as peakHour from '../peak-hour.bench.ts';

const has = Boolean(process.env.LUNA_BENCH_DATA) && existsSync(join(benchData(), 'prices/epf/NP.csv.gz'));
const quiet = () => {};

describe.skipIf(!has)('the benches of forecasts', () => {
  it('epf: two windows of LEAR on a week of Nord Pool', async () => {
    const result = await epf.run({ file: 'NP.csv.gz', days: '10', every: '10', models: 'lear_56,lear_84' }, quiet);
    expect(result.days).toBe(10);
    expect(result.published_lear_mae).toBeGreaterThan(0.5);
    expect(result.mae).toBeLessThan(1.5 * Number(result.published_lear_mae));
    expect(result.gw_p).toBeGreaterThanOrEqual(0);
    expect(Object.keys(result)).toEqual(
      expect.arrayContaining(['mae', 'rmae_weekly', 'cpu_s', 'mae_lear_56', 'mae_lear_84']),
    );
  }, 120_000);

  it('epf: says which model or file is not there', async () => {
    await expect(epf.run({ models: 'oracle' }, quiet)).rejects.toThrow(/oracle.*lear_56/);
    await expect(epf.run({ file: 'nowhere.csv' }, quiet)).rejects.toThrow(/nowhere\.csv is not there/);
  });

  it('epf-quantiles: bands of two months hold', async () => {
    const result = await quantiles.run({ days: '60' }, quiet);
    expect(result.coverage90).toBeGreaterThan(0.84);
    expect(result.coverage90).toBeLessThan(0.96);
    expect(result.pinball).toBeLessThan(0.42 * Number(result.mae));
  }, 120_000);

  it('load: five days of an office beat last week (few trees)', async () => {
    const result = await load.run({ set: 'nrel', days: '5', rounds: '40' }, quiet);
    expect(result.series).toBe(1);
    expect(result.mase).toBeLessThan(0.9 * Number(result.mase_lag168));
    expect(result.pinball_scaled).toBeLessThan(0.5 * Number(result.mase));
  }, 120_000);

  it('gbdt: learns one building, and its Shapley values sum to the prediction', async () => {
    const options = { series: '1', 'train-days': '60', days: '5', rounds: '30', python: 'none' };
    const result = await gbdt.run(options, quiet);
    expect(result.mae).toBeLessThan(0.3);
    expect(result.shap_gap).toBeLessThan(1e-9);
  }, 120_000);

  it('anomaly-nab: the three files, with one set of settings', async () => {
    const result = await nab.run({}, quiet);
    expect(result.windows).toBe(11);
    expect(result.score).toBeGreaterThan(56.9);
  }, 120_000);

  it('lstm: two epochs on half a year learn, and are revived bit-identically', async () => {
    const result = await lstm.run({ epochs: '2', hours: '1500' }, quiet);
    expect(result.bit_identical).toBe(true);
    expect(result.loss_last).toBeLessThan(Number(result.loss_first));
  }, 120_000);

  it("peak-hour: knows more than yesterday's prices", async () => {
    const options = { files: 'DE.csv.gz', days: '60', 'refit-days': '60', 'window-days': '300' };
    const result = await peakHour.run(options, quiet);
    expect(result.auc).toBeGreaterThan(Number(result.auc_naive) + 0.03);
  }, 120_000);
});
