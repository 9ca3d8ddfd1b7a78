/** `GET /meters`: the list of meter points, alive. */
import type { MeterPoint } from '../../../engine/model/site.ts';
import { type MetersView, metersPage, metersRegions } from '../../../web/pages/meters.ts';
import type { Ui } from '../../../web/ui.ts';
import type { Actor } from '../../services.ts';
import type { LiveView } from '../stream.ts';
import { createKeptInTime, type Patience } from './kept-in-time.ts';
import { createDayCells, rowOf } from './meter-values.ts';
import { createPageApp, type PageDeps, readerOf, sendPage, signedIn, uiOf } from './page.ts';
import { storeWaiting } from './store-waiting.ts';

/** How long the list waits for the day of each meter point: where it has one a minute old, and else. */
const PAGE: Patience = { with_older_ms: 150, otherwise_ms: 1_000 };
const LIVE: Patience = { with_older_ms: 0, otherwise_ms: 0 };

export function createMetersPage(deps: PageDeps) {
  const { services } = deps;
  const dayCells = createDayCells(services);
  /** Asked of the store; all else is in memory. */
  const today = createKeptInTime(async (tenant: string, points: readonly MeterPoint[], ui: Ui) => {
    const measured = points.filter((point) => !point.virtual);
    const cells = await Promise.all(measured.map(({ id }) => dayCells(tenant, id, ui)));
    return new Map(measured.map(({ id }, index) => [id, cells[index]!]));
  });
  const gather = async (actor: Actor, ui: Ui, patience: Patience): Promise<MetersView> => {
    const { tenant } = actor;
    const points = services.meters.list(tenant);
    const tick = `${Math.floor(ui.now_ms / 60_000)} ${points.length}`;
    const cells = await today({ name: tenant, version: 0, tick }, patience, tenant, points, ui);
    const rows = points.map((point) => {
      const row = rowOf(services, tenant, point, ui);
      return {
        ...row,
        recent: row.value && !point.virtual ? services.live.recent(tenant, point.id, row.value.quantity) : [],
        cells: cells?.get(point.id) ?? [],
      };
    });
    const last = rows.flatMap((row) => row.last_ms ?? []);
    const store = storeWaiting(services, actor, ui.now_ms);
    return { rows, as_of_ms: last.length === 0 ? null : Math.max(...last), store };
  };
  const app = createPageApp();
  app.get('/meters', signedIn(deps), async (c) => {
    const ui = uiOf(deps, c);
    return sendPage(c, metersPage(await gather(readerOf(c), ui, PAGE), ui));
  });
  const live: LiveView = { fast: async (actor, ui) => metersRegions(await gather(actor, ui, LIVE), ui) };
  return { app, live };
}
