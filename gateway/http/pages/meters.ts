/** `GET /meters`: the list of meter points, alive. */
import { type MetersView, metersPage, metersRegions } from '../../../web/pages/meters.ts';
import type { Ui } from '../../../web/ui.ts';
import type { Actor } from '../../services.ts';
import type { LiveView } from '../stream.ts';
import { meterHealth } from './data-state.ts';
import { createDayCells, headline, noteOf } from './meter-values.ts';
import { createPageApp, type PageDeps, readerOf, sendPage, signedIn, uiOf } from './page.ts';
import { storeWaiting } from './store-waiting.ts';

export function createMetersPage(deps: PageDeps) {
  const { services } = deps;
  const dayCells = createDayCells(services);
  const gather = async (actor: Actor, ui: Ui): Promise<MetersView> => {
    const { tenant } = actor;
    const points = services.meters.list(tenant);
    const rows = await Promise.all(
      points.map(async (point) => {
        const health = meterHealth(services, tenant, point, ui);
        const value = headline(services, tenant, point);
        return {
          id: point.id,
          name: point.name,
          role: point.role,
          state: health.state,
          text: health.text,
          note: noteOf(services, tenant, point, ui),
          value,
          last_ms: health.last_ms,
          recent: value && !point.virtual ? services.live.recent(tenant, point.id, value.quantity) : [],
          cells: point.virtual ? [] : await dayCells(tenant, point.id, ui),
        };
      }),
    );
    const last = rows.flatMap((row) => row.last_ms ?? []);
    const store = storeWaiting(services, actor, ui.now_ms);
    return { rows, as_of_ms: last.length === 0 ? null : Math.max(...last), store };
  };
  const app = createPageApp();
  app.get('/meters', signedIn(deps), async (c) => {
    const ui = uiOf(deps, c);
    return sendPage(c, metersPage(await gather(readerOf(c), ui), ui));
  });
  const live: LiveView = { fast: async (actor, ui) => metersRegions(await gather(actor, ui), ui) };
  return { app, live };
}
