/** What the page of the grid operator's signals shows: who is held, each signal, and the most that was drawn under it. */
import type { PlanSignalsView } from '../../../web/pages/plan-signals.ts';
import type { Actor } from '../../services.ts';
import type { PageDeps } from './page.ts';

const YEAR_MS = 366 * 86_400_000;

export async function signalsView(
  { services }: PageDeps,
  { tenant }: Pick<Actor, 'tenant'>,
): Promise<Omit<PlanSignalsView, 'inputs'>> {
  const { gridSignals, clock, plans } = services;
  const now_ms = clock.now();
  const known = await plans.devices(tenant);
  const { minimum_W, devices } = await gridSignals.minimum_W(tenant);
  const list = await gridSignals.list(tenant, now_ms - YEAR_MS, now_ms + YEAR_MS);
  const signals = await Promise.all(
    list.map(async ({ id, source, from_ms, to_ms, ended_ms, asked_W, limit_W, obeyed_ms }) => {
      const draws = (await gridSignals.draws(tenant, id)).flatMap(({ drawn_W }) => (drawn_W === null ? [] : [drawn_W]));
      const end_ms = ended_ms ?? (to_ms !== null && to_ms <= now_ms ? to_ms : null);
      return {
        ...{ source, from_ms, end_ms, asked_W, limit_W },
        obeyed_after_ms: obeyed_ms === null ? null : obeyed_ms - from_ms,
        most_W: draws.length > 0 ? Math.max(...draws) : null,
      };
    }),
  );
  return {
    devices: devices.map((id) => known.find((device) => device.id === id)?.name ?? id),
    ...{ minimum_W, signals },
  };
}
