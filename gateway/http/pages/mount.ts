/** Every page, mounted once, and the live views behind `/stream`. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Env } from '../api.ts';
import { createStream } from '../stream.ts';
import { createAdvicePages } from './advice.ts';
import { createAlertPages } from './alerts.ts';
import { createAskPages } from './ask.ts';
import { createDocumentPages } from './documents.ts';
import { createEntryPages } from './entry.ts';
import { createForecastsPage } from './forecasts.ts';
import { createMeterPage } from './meter.ts';
import { createMetersPage } from './meters.ts';
import { createNowPage } from './now.ts';
import type { PageDeps } from './page.ts';
import { createPreferencesPage } from './preferences.ts';
import { createPricesPage } from './prices.ts';

/** @param options `secure`: whether cookies travel over TLS only. */
export function mountPages(app: OpenAPIHono<Env>, deps: PageDeps, options: { secure: boolean }): void {
  const now = createNowPage(deps);
  const meters = createMetersPage(deps);
  const meter = createMeterPage(deps);
  const prices = createPricesPage(deps);
  const forecasts = createForecastsPage(deps);
  const documents = createDocumentPages(deps);
  const pages = [
    createEntryPages(deps, options),
    createPreferencesPage(),
    now.app,
    meters.app,
    meter.app,
    prices.app,
    forecasts.app,
    createAskPages(deps),
    documents.app,
    createAdvicePages(deps),
    createAlertPages(deps),
  ];
  for (const page of pages) app.route('/', page);
  const live = {
    ...{ now: now.live, meters: meters.live, meter: meter.live, prices: prices.live },
    ...{ forecasts: forecasts.live, documents: documents.live },
  };
  app.route('/', createStream(deps, live));
}
