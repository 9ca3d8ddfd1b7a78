/** An LSTM on prices of ERCOT and Nord Pool from windows of 24 hours, against the hour before. */
import { join } from 'node:path';
import { type BackendName, openBackend } from '../../engine/forecast/neural/backend.ts';
import { hoursOf, revivePriceNet, trainPriceNet } from '../../engine/forecast/neural/price-net.ts';
import { findFile } from './epf/data.ts';
import { readTable } from './loads/sets.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'an LSTM on ERCOT and NP prices, the last fifth to validate: --epochs 8 --batch 256 --hours 12000 --seed 1 --backend wasm';

const HOUR_MS = 3_600_000;
const FILES = { ercot: 'ERCOT_HUBAVG_DA_hourly.csv.gz', np: 'NP.csv.gz' } as const;
export const WASM_DIR = join(import.meta.dirname, '../../node_modules/@tensorflow/tfjs-backend-wasm/dist');

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const backend = await openBackend((options.backend ?? 'wasm') as BackendName, WASM_DIR);
  const settings = {
    epochs: Number(options.epochs ?? 8),
    batch: Number(options.batch ?? 256),
    hours: Number(options.hours ?? 12_000),
    seed: Number(options.seed ?? 1),
  };
  const began = process.cpuUsage();
  const ercot = await oneSeries('ercot', settings, progress);
  const np = await oneSeries('np', settings, progress);
  const { user, system } = process.cpuUsage(began);
  const mean = (of: (one: Outcome) => number) => round((of(ercot) + of(np)) / 2);
  const all = { rmse: 0, rmse_naive: 0, loss_first: 0, loss_last: 0 };
  return {
    ...Object.fromEntries(Object.keys(all).map((key) => [key, mean((one) => one[key as keyof typeof all])])),
    ...named('ercot', ercot),
    ...named('np', np),
    bit_identical: ercot.bit_identical && np.bit_identical,
    backend: backend.name,
    device: backend.device,
    cpu_s: round((user + system) / 1e6),
    ...settings,
  };
}

type Settings = { epochs: number; batch: number; hours: number; seed: number };
type Outcome = {
  rmse: number;
  rmse_naive: number;
  loss_first: number;
  loss_last: number;
  bit_identical: boolean;
};

async function oneSeries(name: keyof typeof FILES, o: Settings, progress: (line: string) => void): Promise<Outcome> {
  const { stamps, columns } = readTable(findFile(FILES[name], name === 'np' ? 'prices/epf' : 'prices/ercot'));
  const skipped = Math.max(0, columns[0]!.length - o.hours);
  const values = columns[0]!.subarray(skipped);
  const first_hour = Date.parse(`${stamps[skipped]!.replace(/Z$/, '')}Z`) / HOUR_MS;
  const until = Math.floor(0.8 * values.length);
  const { net, losses } = await trainPriceNet(values, until, {
    ...{ epochs: o.epochs, batch: o.batch, seed: o.seed, learning_rate: 0.004, first_hour },
    onEpoch: (epoch, loss) => progress(`${name}, epoch ${epoch + 1}: loss ${loss.toFixed(4)}`),
  });
  const at = hoursOf(values, values.length, until);
  const made = net.forecast(values, at, first_hour);
  const again = revivePriceNet(JSON.parse(JSON.stringify(net.serialise()))).forecast(values, at, first_hour);
  return {
    rmse: rootMean(at.map((k, row) => values[k]! - made[row]!)),
    rmse_naive: rootMean(at.map((k) => values[k]! - values[k - 1]!)),
    loss_first: losses[0]!,
    loss_last: losses.at(-1)!,
    bit_identical: made.every((value, row) => Object.is(value, again[row])),
  };
}

const rootMean = (errors: number[]): number =>
  Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length);
const round = (value: number): number => Math.round(value * 10_000) / 10_000;
const named = (name: string, { rmse, rmse_naive }: Outcome) => ({
  [`rmse_${name}`]: round(rmse),
  [`rmse_naive_${name}`]: round(rmse_naive),
});
