/** `/alerts`: the list, one alert, and the button of who has seen it. */
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import { type AlertDetailView, alertPage } from '../../../web/pages/alert.ts';
import { type AlertView, alertsPage } from '../../../web/pages/alerts.ts';
import type { Ui } from '../../../web/ui.ts';
import { alertWords, type WordsDeps } from '../../alert-words.ts';
import type { Alert } from '../../services.ts';
import { fieldsOf } from './form.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendError, sendPage, signedIn, uiOf } from './page.ts';

const MOST = 500;

export function createAlertPages(deps: PageDeps) {
  const { services } = deps;
  const { alerts, notify } = services;
  const app = createPageApp();
  const unknown = () => new NotFoundError('There is no such alert.', 'It may belong to something that was removed.');
  app.get('/alerts', signedIn(deps), async (c) => {
    const { tenant } = readerOf(c);
    const ui = uiOf(deps, c);
    const [list, recipients] = await Promise.all([alerts.list(tenant, { limit: MOST }), notify.recipients(tenant)]);
    const someone_is_told = recipients.some(({ enabled }) => enabled);
    return sendPage(
      c,
      alertsPage({ alerts: list.map((alert) => alertView(services, tenant, alert, ui)), someone_is_told }, ui),
    );
  });
  app.get('/alerts/:id', signedIn(deps), async (c) => {
    const { tenant } = readerOf(c);
    const ui = uiOf(deps, c);
    const alert = await alerts.get(tenant, c.req.param('id'));
    if (!alert) return sendError(deps, c, unknown());
    const { name, link } = alertWords(services, tenant, alert, ui.language, ui.now_ms);
    const shown = link?.startsWith('/admin') && ui.actor?.role !== 'admin' ? null : link;
    const told = await notify.told(tenant, alert.id);
    const about = anomalyOf(alert);
    const judged: AlertDetailView['judged'] =
      about === null ? null : ((await services.anomalies.get(tenant, about)).verdict ?? 'open');
    const view: AlertDetailView = { alert: alertView(services, tenant, alert, ui), name, link: shown, told, judged };
    return sendPage(c, alertPage(view, ui));
  });
  app.post('/alerts/:id/acknowledge', signedIn(deps), csrfChecked(deps), async (c) => {
    const { id } = await alerts.acknowledge(readerOf(c), c.req.param('id'));
    // Back to where the button was.
    const from = c.req.header('referer') ?? '';
    return c.redirect(URL.parse(from)?.pathname === `/alerts/${id}` ? `/alerts/${id}` : '/alerts', 303);
  });
  app.post('/alerts/:id/verdict', signedIn(deps), csrfChecked(deps), async (c) => {
    const reader = readerOf(c);
    const alert = await alerts.get(reader.tenant, c.req.param('id'));
    const about = alert ? anomalyOf(alert) : null;
    if (!alert || about === null) return sendError(deps, c, unknown());
    const { verdict } = await fieldsOf(c);
    if (verdict !== 'expected' && verdict !== 'real')
      throw new InvalidDataError(`"${verdict}" is no verdict.`, 'Say expected or real.');
    await services.anomalies.judge(reader, about, verdict);
    return c.redirect(`/alerts/${alert.id}`, 303);
  });
  return app;
}

/** The anomaly that an alert is about; null for other alerts. */
function anomalyOf({ kind, detail }: Alert): string | null {
  return kind === 'anomaly' && typeof detail.anomaly === 'string' ? detail.anomaly : null;
}

export function alertView(deps: WordsDeps, tenant: string, alert: Alert, ui: Ui): AlertView {
  const { id, severity, opened_ms, closed_ms, acknowledged_ms, acknowledged_by } = alert;
  const { text, remedy } = alertWords(deps, tenant, alert, ui.language, ui.now_ms);
  return { id, severity, text, remedy, opened_ms, closed_ms, acknowledged_ms, acknowledged_by };
}
