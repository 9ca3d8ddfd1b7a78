/**
 * Erases readings with their slots, repairs and forecasts, and everything of them that is still on its way: in the
 * journal, waiting for a trusted clock, or put aside because the store refused it.
 */
import { UnavailableError } from '../../engine/errors.ts';
import { erasureOf } from '../../engine/model/erasure.ts';
import type { Base } from '../services.ts';
import type { ClockQuarantine } from './clock-quarantine.ts';

const STEP_MS = 50;
const LONGEST_MS = 10_000;

type Deps = Pick<Base, 'clock' | 'log'> & {
  journal: Pick<Base['journal'], 'append'>;
  series: { readings: Pick<Base['series']['readings'], 'cursor'> };
  quarantine: Pick<ClockQuarantine, 'erase'>;
};

/**
 * Resolves when they are gone, or after ten seconds: from then on a store that is away erases them when it is back,
 * before it takes anything that came later.
 * @param meters null is the whole tenant
 * @throws UnavailableError when the journal cannot keep it
 */
export async function eraseReadings(deps: Deps, tenant: string, meters: readonly string[] | null): Promise<void> {
  if (meters?.length === 0) return;
  // First, so that what was just being let through stands before the erasure in the journal.
  await deps.quarantine.erase(tenant, meters);
  const seq = await deps.journal.append([erasureOf(tenant, meters, deps.clock.now())]);
  try {
    for (let waited_ms = 0; waited_ms < LONGEST_MS; waited_ms += STEP_MS) {
      if ((await deps.series.readings.cursor()) >= seq) return;
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
    }
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
  }
  deps.log.info({ tenant_id: tenant, meters }, 'readings are erased as soon as the series store answers');
}
