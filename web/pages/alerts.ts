/** Alerts: what is failing now, first; what somebody has seen; what is over, folded. */
import { html } from 'hono/html';
import { icon } from '../components/icon.ts';
import { layout } from '../components/layout.ts';
import { age, card, csrfField, emptyState, linkButton, notice, stateMark } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';

export type AlertView = {
  id: string;
  severity: 'info' | 'warning' | 'fault';
  /** What happened and what to do, in the reader's language. */
  text: string;
  remedy: string;
  opened_ms: number;
  closed_ms: number | null;
  acknowledged_ms: number | null;
  acknowledged_by: string | null;
};
export type AlertsView = {
  alerts: readonly AlertView[];
  /** Whether anybody is told outside of these pages. */
  someone_is_told: boolean;
};

export function alertsPage({ alerts, someone_is_told }: AlertsView, ui: Ui): Html {
  const { t } = ui;
  const lasting = alerts.filter((alert) => alert.closed_ms === null);
  const open = lasting.filter((alert) => alert.acknowledged_ms === null);
  const seen = lasting.filter((alert) => alert.acknowledged_ms !== null);
  const closed = alerts.filter((alert) => alert.closed_ms !== null);
  const content = html`${lasting.length > 0 && !someone_is_told ? nobodyNotice(ui) : ''}${
    lasting.length === 0
      ? emptyState({ title: t('alerts.none_title'), text: t('alerts.none'), icon: 'circle-check' })
      : ''
  }${open.length === 0 ? '' : card({ title: t('alerts.open'), content: list(open.map((alert) => openRow(alert, ui))) })}
${seen.length === 0 ? '' : card({ title: t('alerts.acknowledged'), content: list(seen.map((alert) => seenRow(alert, ui))) })}
${card({
  title: t('alerts.closed'),
  content:
    closed.length === 0
      ? html`<p class="soft">${t('alerts.closed_none')}</p>`
      : html`<details><summary>${t('alerts.show_closed', { n: closed.length })}</summary>${list(closed.map((alert) => closedRow(alert, ui)))}</details>`,
})}`;
  return layout(ui, { title: t('alerts.title'), page: 'alerts', content });
}

function list(rows: readonly Html[]): Html {
  return html`<ul class="rows">${rows}</ul>`;
}

function nobodyNotice(ui: Ui): Html {
  const link =
    ui.actor?.role === 'admin'
      ? html` ${linkButton('/admin/notifications', ui.t('alerts.set_up'), 'plain', 'bell-plus')}`
      : '';
  return notice('warning', html`<p>${ui.t('alerts.nobody')}</p>${link}`);
}

export function stateOf({ severity }: Pick<AlertView, 'severity'>): 'unknown' | 'warning' | 'fault' {
  return severity === 'info' ? 'unknown' : severity;
}

function openRow(alert: AlertView, ui: Ui): Html {
  return html`<li><div class="stack tight">${stateMark(stateOf(alert), linked(alert))}<span class="soft small">${age(ui, alert.opened_ms)}</span><span class="soft small">${alert.remedy}</span></div>
${acknowledgeForm(alert, ui)}</li>`;
}

function seenRow(alert: AlertView, ui: Ui): Html {
  return html`<li><div class="stack tight">${stateMark(stateOf(alert), linked(alert))}<span class="soft small">${seenBy(alert, ui)}</span></div></li>`;
}

function closedRow(alert: AlertView, ui: Ui): Html {
  const span = ui.t('alerts.lasted', {
    from: ui.format.when(alert.opened_ms, ui.now_ms),
    to: ui.format.when(alert.closed_ms ?? ui.now_ms, ui.now_ms),
  });
  return html`<li>${linked(alert)}<span class="soft">${span}</span></li>`;
}

function linked({ id, text }: AlertView): Html {
  return html`<a href="/alerts/${encodeURIComponent(id)}">${text}</a>`;
}

export function seenBy({ acknowledged_by, acknowledged_ms }: AlertView, ui: Ui): string {
  const when = ui.format.when(acknowledged_ms ?? ui.now_ms, ui.now_ms);
  return ui.t('alerts.acknowledged_by', { who: acknowledged_by ?? '', when });
}

export function acknowledgeForm({ id, text }: AlertView, ui: Ui): Html {
  const { t } = ui;
  return html`<form method="post" action="/alerts/${encodeURIComponent(id)}/acknowledge">${csrfField(ui)}<button aria-label="${t('alerts.acknowledge_of', { text })}">${icon('check')}<span>${t('alerts.acknowledge')}</span></button></form>`;
}
