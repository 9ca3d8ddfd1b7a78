/** `/admin/health`, and its live view. */
import { Hono } from 'hono';
import { NotAllowedError } from '../../../../engine/errors.ts';
import { type HealthView, healthCards, healthPage } from '../../../../web/pages/admin/health.ts';
import type { Html } from '../../../../web/ui.ts';
import { mayWatchBox } from '../../../owner.ts';
import type { Services } from '../../../services.ts';
import { supportBundle } from '../../../support.ts';
import { believeClock } from '../../api/clock.ts';
import type { Env } from '../../api.ts';
import type { LiveView } from '../../stream.ts';
import { csrfChecked, type PageDeps, readerOf, sendError, sendPage, signedIn, uiOf } from '../page.ts';

/** Many open pages ask the stores once in this time. */
const FRESH_MS = 4000;

export function createHealthPage(deps: PageDeps) {
  const { services } = deps;
  const app = new Hono<Env>();
  const known = new Map<string, { at_ms: number; view: Promise<HealthView> }>();
  const viewOf = (tenant: string): Promise<HealthView> => {
    const now_ms = services.clock.now();
    const last = known.get(tenant);
    if (last && now_ms - last.at_ms < FRESH_MS) return last.view;
    const view = gather(services, tenant);
    known.set(tenant, { at_ms: now_ms, view });
    return view;
  };
  app.get('/admin/health', signedIn(deps, 'admin'), async (c) =>
    sendPage(c, healthPage(await viewOf(readerOf(c).tenant), uiOf(deps, c))),
  );
  app.post('/admin/clock', signedIn(deps, 'admin'), csrfChecked(deps), async (c) => {
    try {
      await believeClock(services, readerOf(c));
    } catch (error) {
      return sendError(deps, c, error);
    }
    known.clear();
    return c.redirect('/admin/health', 303);
  });
  app.get('/admin/health/support.json', signedIn(deps, 'admin'), async (c) => {
    if (!mayWatchBox({ tenant: readerOf(c).tenant, role: 'admin' }, services.site.tenants()))
      return sendError(
        deps,
        c,
        new NotAllowedError('The bundle tells of all organisations.', 'Ask an admin of the first.'),
      );
    c.header('content-disposition', 'attachment; filename="luna-support.json"');
    c.header('cache-control', 'no-store');
    return c.json(await supportBundle(services), 200);
  });
  const live: LiveView = {
    fast: async (actor, ui): Promise<Record<string, Html>> =>
      actor.role === 'admin' ? { health: healthCards(await viewOf(actor.tenant), ui) } : {},
  };
  return { app, live };
}

async function gather(services: Services, tenant: string): Promise<HealthView> {
  const { health, journal, jobs, prices, weather, config, series } = services;
  const orNull = <T>(work: Promise<T>): Promise<T | null> =>
    work.catch((error: unknown) => {
      services.log.warn({ err: error }, 'a part of the health page could not be gathered');
      return null;
    });
  // Admins only come here.
  const watches = mayWatchBox({ tenant, role: 'admin' }, services.site.tenants());
  const [{ ready, parts }, queues, sources, weatherState, models] = await Promise.all([
    health.report(),
    watches ? orNull(jobs.depth()) : null,
    orNull(prices.sources(tenant)),
    orNull(weather.state(tenant)),
    watches ? orNull(services.model_fetch.models()) : null,
  ]);
  const own = { ready, sources, weather: weatherState };
  if (!watches)
    return {
      ...own,
      parts: parts.map(({ name, state, since_ms }) => ({ name, state, since_ms, text: '' })),
      box: null,
    };
  const stats = journal.stats();
  const box = {
    volume: health.volume?.() ?? null,
    version: health.luna,
    ...{ queues, models: models ?? [] },
    books: health.readings(),
    store: series.kind === 'questdb' ? 'QuestDB' : series.kind === 'duckdb' ? 'DuckDB' : series.kind,
    journal: {
      records: stats.last_seq,
      waiting: health.store().waiting_records,
      bytes: stats.bytes,
      most_bytes: config.journal_max_bytes,
      files: stats.segments,
      quarantined: stats.quarantined,
    },
  };
  return { ...own, parts, box };
}
