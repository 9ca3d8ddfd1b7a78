/** The pages over the sample services, as the server mounts them, with somebody signed in. */
import { Hono } from 'hono';
import { NotFoundError } from '../../engine/errors.ts';
import type { Role } from '../../engine/model/site.ts';
import { createDataApi } from '../../gateway/http/api/data.ts';
import { createDocumentsApi } from '../../gateway/http/api/documents.ts';
import { createApiApp, type Env } from '../../gateway/http/api.ts';
import { createAssets } from '../../gateway/http/assets.ts';
import { securityHeaders } from '../../gateway/http/headers.ts';
import { openApiDocument } from '../../gateway/http/openapi.ts';
import { createAccountPages } from '../../gateway/http/pages/account.ts';
import { createAddMeterPages } from '../../gateway/http/pages/add-meter.ts';
import { createAdminPages } from '../../gateway/http/pages/admin.ts';
import { createAdvicePages } from '../../gateway/http/pages/advice.ts';
import { createAlertPages } from '../../gateway/http/pages/alerts.ts';
import { createApiReferencePages } from '../../gateway/http/pages/api-reference.ts';
import { createAskPages } from '../../gateway/http/pages/ask.ts';
import { createBillPages } from '../../gateway/http/pages/bill.ts';
import { createDemoPages } from '../../gateway/http/pages/demo.ts';
import { createDevicePages } from '../../gateway/http/pages/device.ts';
import { createDocumentPages } from '../../gateway/http/pages/documents.ts';
import { createEntryPages } from '../../gateway/http/pages/entry.ts';
import { createForecastsPage } from '../../gateway/http/pages/forecasts.ts';
import { createImportPages } from '../../gateway/http/pages/import.ts';
import { createMeterPage } from '../../gateway/http/pages/meter.ts';
import { createMetersPage } from '../../gateway/http/pages/meters.ts';
import { createNowPage } from '../../gateway/http/pages/now.ts';
import { sendError } from '../../gateway/http/pages/page.ts';
import { createPlanPages } from '../../gateway/http/pages/plan.ts';
import { createPlanSetupPages } from '../../gateway/http/pages/plan-setup.ts';
import { createPreferencesPage } from '../../gateway/http/pages/preferences.ts';
import { createPricesPage } from '../../gateway/http/pages/prices.ts';
import { createSavingsPages } from '../../gateway/http/pages/savings.ts';
import { createSearchPages } from '../../gateway/http/pages/search-devices.ts';
import { createTariffPages } from '../../gateway/http/pages/tariff.ts';
import { createVirtualMeterPages } from '../../gateway/http/pages/virtual-meter.ts';
import { mountApi } from '../../gateway/http/routes.ts';
import { createStream } from '../../gateway/http/stream.ts';
import type { Actor, Services } from '../../gateway/services.ts';
import { ADMIN } from './sample-services.ts';

export const CSRF = 'csrf-of-the-sample';

/** The app; `signed_in` false shows what strangers get. */
export function createSampleApp(
  services: Services,
  options: { signed_in?: boolean; role?: Role; actor_now?: () => Promise<Actor | null> } = {},
) {
  const deps = { services, assets: createAssets() };
  const app = new Hono<Env>();
  app.use(securityHeaders(false));
  app.use(async (c, next) => {
    const actor = (options.signed_in ?? true) ? { ...ADMIN, role: options.role ?? ('admin' as const) } : null;
    c.set('actor', actor);
    c.set(
      'session',
      actor && { actor, person_id: 'p1', name: 'Anna Müller', csrf: CSRF, token_sha256: '', lacks_code: false },
    );
    c.set('request_id', 'request-1');
    c.set('client', '127.0.0.1');
    c.set('actor_now', options.actor_now);
    await next();
  });
  const now = createNowPage(deps);
  app.route('/', deps.assets.app);
  app.route('/', createPreferencesPage());
  const meters = createMetersPage(deps);
  const meter = createMeterPage(deps);
  app.route('/', now.app);
  app.route('/', meters.app);
  // Before the page of a meter, whose id would else be `new`.
  app.route('/', createAddMeterPages(deps));
  const search = createSearchPages(deps);
  app.route('/', search.app);
  app.route('/', createVirtualMeterPages(deps));
  app.route('/', createDevicePages(deps));
  app.route('/', meter.app);
  const prices = createPricesPage(deps);
  const forecasts = createForecastsPage(deps);
  app.route('/', prices.app);
  app.route('/', createTariffPages(deps));
  app.route('/', createBillPages(deps));
  app.route('/', forecasts.app);
  const plan = createPlanPages(deps);
  app.route('/', plan.app);
  app.route('/', createPlanSetupPages(deps));
  const savings = createSavingsPages(deps);
  app.route('/', savings.app);
  const admin = createAdminPages(deps);
  app.route('/', admin.app);
  app.route('/', createDemoPages(deps));
  const documents = createDocumentPages(deps);
  const imports = createImportPages(deps);
  app.route('/', createEntryPages(deps, { secure: false }));
  app.route('/', createAccountPages(deps));
  app.route('/', createAskPages(deps));
  app.route('/', documents.app);
  app.route('/', createAdvicePages(deps));
  app.route('/', createAlertPages(deps));
  app.route('/', imports.app);
  app.route('/', createApiReferencePages(deps, apiDocument(services)));
  app.route('/', createDocumentsApi(services));
  app.route('/', createDataApi(services));
  app.route(
    '/',
    createStream(deps, {
      now: now.live,
      meters: meters.live,
      meter: meter.live,
      prices: prices.live,
      forecasts: forecasts.live,
      plan: plan.live,
      simulate: savings.live,
      health: admin.live,
      documents: documents.live,
      import: imports.live,
      search: search.live,
    }),
  );
  app.notFound((c) => sendError(deps, c, new NotFoundError('There is no such page.')));
  app.onError((error, c) => sendError(deps, c, error));
  return app;
}

/** What the reference page shows: the API as it is mounted; nobody asks it, so parts may be missing. */
function apiDocument(services: Services) {
  const api = createApiApp();
  const partial = new Proxy(services, { get: (target, name) => (name in target ? Reflect.get(target, name) : {}) });
  mountApi(api, partial);
  return openApiDocument(api, '0.1.0');
}
