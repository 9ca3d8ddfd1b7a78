/** Loads of the sample building: the real preview, and a load that takes a moment and tells how far it is. */

import { previewFile } from '../../connectors/meters/csv/file.ts';
import { HOUR_MS } from '../../engine/model/time.ts';
import { createLoadService } from '../../gateway/services/loads.ts';
import type { LoadReport, LoadService, Services } from '../../gateway/services.ts';
import { TENANT } from './sample-site.ts';

const STEPS = 4;
const STEP_MS = 250;

export function sampleLoads({ bus, clock }: Pick<Services, 'bus' | 'clock'>): LoadService {
  const uploads = { preview: previewFile };
  // Only its preview is used, which stores nothing.
  const real = createLoadService({ clock, bus, uploads } as unknown as Parameters<typeof createLoadService>[0]);
  let loads: (LoadReport & { file_name: string; started_ms: number })[] = [
    {
      id: 'l1',
      lines: 35_041,
      accepted: 35_030,
      flagged: 8,
      rejected: 2,
      faults: [],
      unchanged: false,
      file_name: 'lastgang-2025.csv',
      started_ms: clock.now() - 30 * HOUR_MS,
    },
  ];
  return {
    preview: real.preview,
    recent: async () => loads,
    load: async (_, file, mapping, options) => {
      const total = 'bytes' in file ? file.bytes.length : 1;
      const id = options?.id ?? 'l2';
      for (let step = 1; step <= STEPS; step++) {
        const done = Math.round((total * step) / STEPS);
        bus.publish({ type: 'progress', tenant: TENANT, task: `load:${id}`, done, total, text: file.name });
        await new Promise((resolve) => setTimeout(resolve, STEP_MS));
      }
      if (mapping?.meter_id === 'gas') throw new Error('The disk is full.');
      const faults = [
        { line: 17, problem: '"n.a." is no number in the column "Leistung [kW]".' },
        { line: 902, problem: 'The time "31.02.2026 00:15" does not exist.' },
      ];
      const report: LoadReport = { id, lines: 1440, accepted: 1431, flagged: 7, rejected: 2, faults, unchanged: false };
      loads = [{ ...report, file_name: file.name, started_ms: clock.now() }, ...loads];
      return report;
    },
  };
}
