/** `GET /alerts`. */
import { type AlertView, alertsPage } from '../../../web/pages/alerts.ts';
import type { Alert } from '../../services.ts';
import { createPageApp, type PageDeps, readerOf, sendPage, signedIn, uiOf } from './page.ts';

const MOST = 200;

export function createAlertPages(deps: PageDeps) {
  const { alerts, meters, devices } = deps.services;
  const app = createPageApp();
  app.get('/alerts', signedIn(deps), async (c) => {
    const { tenant } = readerOf(c);
    const list = await alerts.list(tenant, { limit: MOST });
    return sendPage(
      c,
      alertsPage(
        list.map((alert) => viewOf(tenant, alert)),
        uiOf(deps, c),
      ),
    );
  });
  return app;

  function viewOf(tenant: string, { kind, object, severity, opened_ms, closed_ms }: Alert): AlertView {
    const meter = meters.get(tenant, object) ?? meters.ofDevice(tenant, object)[0] ?? null;
    const name = (kind === 'device_unreachable' ? devices.get(tenant, object)?.name : meter?.name) ?? object;
    const link =
      kind === 'prices_stale'
        ? '/prices'
        : kind === 'document_refused'
          ? '/documents'
          : meter
            ? `/meters/${encodeURIComponent(meter.id)}`
            : null;
    return { kind, name, severity, opened_ms, closed_ms, link };
  }
}
