/** Every page, mounted once, and the live views behind `/stream`. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Env } from '../api.ts';
import { createStream } from '../stream.ts';
import { createAccountPages } from './account.ts';
import { createAddMeterPages } from './add-meter.ts';
import { createAdminPages } from './admin.ts';
import { createAdvicePages } from './advice.ts';
import { createAlertPages } from './alerts.ts';
import { createAskPages } from './ask.ts';
import { createBillPages } from './bill.ts';
import { createDemoPages } from './demo.ts';
import { createDevicePages } from './device.ts';
import { createDocumentPages } from './documents.ts';
import { createEntryPages } from './entry.ts';
import { createForecastsPage } from './forecasts.ts';
import { createImportPages } from './import.ts';
import { createMeterPage } from './meter.ts';
import { createMetersPage } from './meters.ts';
import { createNowPage } from './now.ts';
import type { PageDeps } from './page.ts';
import { createPlanPages } from './plan.ts';
import { createPlanSetupPages } from './plan-setup.ts';
import { createPreferencesPage } from './preferences.ts';
import { createPricesPage } from './prices.ts';
import { createRepairPages } from './repair.ts';
import { createSavingsPages } from './savings.ts';
import { createSearchPages } from './search-devices.ts';
import { createTariffPages } from './tariff.ts';
import { createVirtualMeterPages } from './virtual-meter.ts';

/** @param options `secure`: whether cookies travel over TLS only. */
export function mountPages(app: OpenAPIHono<Env>, deps: PageDeps, options: { secure: boolean }): void {
  const now = createNowPage(deps);
  const meters = createMetersPage(deps);
  const meter = createMeterPage(deps);
  const prices = createPricesPage(deps);
  const forecasts = createForecastsPage(deps);
  const plan = createPlanPages(deps);
  const savings = createSavingsPages(deps);
  const documents = createDocumentPages(deps);
  const admin = createAdminPages(deps);
  const imports = createImportPages(deps);
  const search = createSearchPages(deps);
  const pages = [
    createEntryPages(deps, options),
    createPreferencesPage(),
    createAccountPages(deps),
    now.app,
    meters.app,
    // before the page of one meter, whose path would take theirs
    createAddMeterPages(deps),
    search.app,
    createVirtualMeterPages(deps),
    createRepairPages(deps),
    meter.app,
    prices.app,
    createTariffPages(deps),
    createBillPages(deps),
    forecasts.app,
    plan.app,
    createPlanSetupPages(deps),
    savings.app,
    createAskPages(deps),
    documents.app,
    createAdvicePages(deps),
    createDevicePages(deps),
    createDemoPages(deps),
    admin.app,
    imports.app,
    createAlertPages(deps),
  ];
  // A box without a site has nothing to show yet: its admin sets one up first.
  app.get('/', async (c, next) => {
    const actor = c.get('actor');
    return actor?.role === 'admin' && !deps.services.site.get(actor.tenant) ? c.redirect('/setup', 303) : next();
  });
  for (const page of pages) app.route('/', page);
  const live = {
    ...{ now: now.live, meters: meters.live, meter: meter.live, prices: prices.live },
    ...{
      forecasts: forecasts.live,
      plan: plan.live,
      simulate: savings.live,
      documents: documents.live,
      health: admin.live,
      import: imports.live,
      search: search.live,
    },
  };
  app.route('/', createStream(deps, live));
}
