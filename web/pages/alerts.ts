/** Alerts: what is failing now, first; what is over, folded. */
import { html } from 'hono/html';
import { layout } from '../components/layout.ts';
import { age, card, emptyState, stateMark } from '../components/parts.ts';
import type { TextKey } from '../i18n/text.ts';
import type { Html, Ui } from '../ui.ts';

export type AlertView = {
  kind: string;
  /** Name of the meter, device, area or file it is about. */
  name: string;
  severity: 'info' | 'warning' | 'fault';
  opened_ms: number;
  closed_ms: number | null;
  /** Page of what it is about. */
  link: string | null;
};

export function alertsPage(alerts: readonly AlertView[], ui: Ui): Html {
  const { t } = ui;
  const open = alerts.filter((alert) => alert.closed_ms === null);
  const closed = alerts.filter((alert) => alert.closed_ms !== null);
  const content = html`${
    open.length === 0
      ? emptyState({ title: t('alerts.none_title'), text: t('alerts.none'), icon: 'circle-check' })
      : card({
          title: t('alerts.open'),
          content: html`<ul class="rows">${open.map((alert) => openRow(alert, ui))}</ul>`,
        })
  }
${card({
  title: t('alerts.closed'),
  content:
    closed.length === 0
      ? html`<p class="soft">${t('alerts.closed_none')}</p>`
      : html`<details><summary>${t('alerts.show_closed', { n: closed.length })}</summary><ul class="rows">${closed.map((alert) => closedRow(alert, ui))}</ul></details>`,
})}`;
  return layout(ui, { title: t('alerts.title'), page: 'alerts', content });
}

function openRow(alert: AlertView, ui: Ui): Html {
  const state = alert.severity === 'info' ? 'unknown' : alert.severity;
  return html`<li>${stateMark(state, alertText(alert, ui))}<span class="soft">${age(ui, alert.opened_ms)} ${alert.link ? html`<a href="${alert.link}">${ui.t('alerts.look')}</a>` : ''}</span></li>`;
}

function closedRow(alert: AlertView, ui: Ui): Html {
  const span = ui.t('alerts.lasted', {
    from: ui.format.when(alert.opened_ms, ui.now_ms),
    to: ui.format.when(alert.closed_ms ?? ui.now_ms, ui.now_ms),
  });
  return html`<li><span>${alertText(alert, ui)}</span><span class="soft">${span}</span></li>`;
}

/** The sentence of an alert in the reader's language. */
export function alertText({ kind, name, opened_ms }: AlertView, ui: Ui): string {
  const key = `alert.${kind}` as TextKey & `alert.${string}`;
  const write = ui.t as (key: TextKey, parameters: Record<string, string>) => string;
  return write(key, { name, time: ui.format.when(opened_ms, ui.now_ms) });
}
