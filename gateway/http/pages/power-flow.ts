/** Live power between grid, generation, battery and load, from the newest readings of the meter points. */
import type { MeterPoint, MeterRole } from '../../../engine/model/site.ts';
import type { FlowPart, PowerFlow } from '../../../web/pages/now.ts';
import type { LiveValues } from '../../services.ts';

/** Older than this a power is no longer "now". */
export const STALE_MS = 5 * 60_000;

type Role = 'grid' | 'generation' | 'battery' | 'load';

/**
 * The flow at `now_ms`. Signs as in MeterRole: grid + import, generation + production, battery + discharge, load +
 * consumption. Load = grid + generation + battery; without a grid meter it is the sum of the load meters.
 * A part whose meters are silent has `power_W` null and says since when; so has the load that needs it.
 */
export function powerFlow(points: readonly MeterPoint[], live: LiveValues, tenant: string, now_ms: number): PowerFlow {
  const part = (role: Role) => partOf(physical(points, role), live, tenant, now_ms);
  const [grid, generation, battery] = [part('grid'), part('generation'), part('battery')];
  const load = grid ? sumOf([grid, generation, battery]) : (part('load') ?? { power_W: null, stale_since_ms: null });
  const soc = points
    .filter((point) => point.role === 'battery')
    .map((point) => live.of(tenant, point.id).get('soc_percent'))
    .find((value) => value && now_ms - value.at_ms < 12 * STALE_MS);
  return { grid, generation, battery, load, soc_percent: soc?.value ?? null };
}

function physical(points: readonly MeterPoint[], role: MeterRole): MeterPoint[] {
  return points.filter((point) => point.role === role && point.virtual === null);
}

function partOf(points: readonly MeterPoint[], live: LiveValues, tenant: string, now_ms: number): FlowPart | null {
  const values = points.flatMap((point) => live.of(tenant, point.id).get('power_W') ?? []);
  if (points.length === 0) return null;
  const oldest = Math.min(...values.map((value) => value.at_ms));
  const isComplete = values.length === points.length && now_ms - oldest <= STALE_MS;
  if (!isComplete) return { power_W: null, stale_since_ms: values.length === 0 ? null : oldest };
  return { power_W: values.reduce((sum, value) => sum + value.value, 0), stale_since_ms: null };
}

function sumOf(parts: readonly (FlowPart | null)[]): FlowPart {
  const present = parts.filter((part) => part !== null);
  const missing = present.find((part) => part.power_W === null);
  if (missing) return { power_W: null, stale_since_ms: missing.stale_since_ms };
  return {
    power_W: Math.max(
      0,
      present.reduce((sum, part) => sum + (part.power_W ?? 0), 0),
    ),
    stale_since_ms: null,
  };
}
