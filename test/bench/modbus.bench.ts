/** Sixty Modbus devices on six gateways at one second, through every fault a gateway has; gateways run in this process. */
import { runTrial } from './modbus/trial.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'Modbus polling through faults: --seed 1 (--gateways 6 --units 10 --period 1 --hold 20 --rounds 8 --fault 8 --dead 60)';

export function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const number = (name: string, otherwise: number) => Number(options[name] ?? otherwise);
  return runTrial(
    {
      ...{ gateways: number('gateways', 6), units: number('units', 10), period_s: number('period', 1) },
      ...{ seed: number('seed', 1), hold_s: number('hold', 20), rounds: number('rounds', 8) },
      ...{ fault_s: number('fault', 8), dead_s: number('dead', 60) },
    },
    progress,
  );
}
