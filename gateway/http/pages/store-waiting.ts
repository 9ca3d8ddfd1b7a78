/** Whether the pages tell that the series store is away or catches up. */
import type { StoreWaiting } from '../../../web/components/store-notice.ts';
import { mayWatchBox } from '../../owner.ts';
import type { Actor, Services } from '../../services.ts';

/** A store that is away for less is a restart, not news; fewer readings than this are on their usual way. */
const PATIENCE_MS = 10_000;
const MANY = 10_000;

/** How many wait is told to those only who may see what all organisations together do. */
export function storeWaiting(
  { health, site }: Pick<Services, 'health' | 'site'>,
  actor: Actor,
  now_ms: number,
): StoreWaiting | null {
  const { up, since_ms, waiting_readings: all, full_in_h } = health.store();
  const waiting_readings = mayWatchBox(actor, site.tenants()) ? all : null;
  if (up) return all < MANY ? null : { away_since_ms: null, waiting_readings, full_in_h };
  return now_ms - since_ms < PATIENCE_MS ? null : { away_since_ms: since_ms, waiting_readings, full_in_h };
}
