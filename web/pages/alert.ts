/** One alert: what happened, since when, what to do, who has seen it, and who was told when. */
import { html } from 'hono/html';
import { layout } from '../components/layout.ts';
import { age, card, csrfField, linkButton, type State, stateMark } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';
import { type AlertView, acknowledgeForm, seenBy, stateOf } from './alerts.ts';

export type ToldView = {
  what: 'opened' | 'escalated' | 'repeated' | 'acknowledged' | 'solved';
  recipient_name: string;
  channel_name: string;
  state: 'waiting' | 'sent' | 'given up';
  made_ms: number;
  sent_ms: number | null;
  next_try_ms: number | null;
  tries: number;
  outcome: string | null;
};
export type AlertDetailView = {
  alert: AlertView;
  name: string;
  /** Page of what it is about. */
  link: string | null;
  told: readonly ToldView[];
  /** Whether a person may say that it was expected, or real. */
  judged: 'open' | 'expected' | 'real' | null;
};

export function alertPage(view: AlertDetailView, ui: Ui): Html {
  const { t } = ui;
  const { alert } = view;
  const open = alert.closed_ms === null && alert.acknowledged_ms === null;
  const content = html`${card({
    title: alert.text,
    content: html`<dl class="facts">${facts(view, ui)}</dl>
<div class="actions">${open ? acknowledgeForm(alert, ui) : ''}${view.judged === null ? '' : verdictForm(view, ui)}${view.link ? linkButton(view.link, t('alerts.look')) : ''}${linkButton('/alerts', t('alerts.back'))}</div>`,
  })}
${card({
  title: t('alerts.told'),
  content:
    view.told.length === 0
      ? html`<p class="soft">${t('alerts.told_none')}</p>`
      : html`<ul class="rows">${view.told.map((told) => toldRow(told, ui))}</ul>`,
})}`;
  return layout(ui, { title: t('alerts.title'), page: 'alerts', content });
}

/** Two buttons; the box learns from either. */
function verdictForm({ alert, judged }: AlertDetailView, ui: Ui): Html {
  const { t } = ui;
  const button = (verdict: 'expected' | 'real') =>
    html`<button name="verdict" value="${verdict}" aria-pressed="${judged === verdict ? 'true' : 'false'}">${t(`anomaly.${verdict}`)}</button>`;
  return html`<form class="actions" method="post" action="/alerts/${encodeURIComponent(alert.id)}/verdict">${csrfField(ui)}${button('expected')}${button('real')}</form>`;
}

function facts({ alert, name }: AlertDetailView, ui: Ui): Html[] {
  const { t, format } = ui;
  const state = alert.closed_ms !== null ? 'solved' : alert.acknowledged_ms !== null ? 'acknowledged' : 'open';
  const fact = (label: string, value: Html | string) => html`<dt>${label}</dt><dd>${value}</dd>`;
  return [
    fact(t('alerts.severity'), stateMark(stateOf(alert), t(`alerts.severity_${alert.severity}`))),
    fact(t('alerts.state'), alert.acknowledged_ms === null ? t(`alerts.state_${state}`) : seenBy(alert, ui)),
    fact(t('alerts.about'), name),
    fact(
      t('alerts.since'),
      html`${format.when(alert.opened_ms, ui.now_ms)} <span class="soft">(${age(ui, alert.opened_ms)})</span>`,
    ),
    ...(alert.closed_ms === null ? [] : [fact(t('alerts.until'), format.when(alert.closed_ms, ui.now_ms))]),
    fact(t('alerts.to_do'), alert.remedy),
  ];
}

const STATES: Record<ToldView['state'], State> = { waiting: 'warning', sent: 'ok', 'given up': 'fault' };

function toldRow(told: ToldView, ui: Ui): Html {
  const { t } = ui;
  return html`<li><div class="stack tight"><span><b>${t('notify.log_line', { who: told.recipient_name, channel: told.channel_name })}</b> <span class="badge">${t(`alerts.what_${told.what}`)}</span></span>${deliveryState(told, ui)}</div><span class="soft small">${ui.format.when(told.made_ms, ui.now_ms)}</span></li>`;
}

/** What came of a message, with the words of the other side. */
export function deliveryState(told: Omit<ToldView, 'what'>, ui: Ui): Html {
  const { t, format } = ui;
  const when = (at_ms: number | null) => format.when(at_ms ?? ui.now_ms, ui.now_ms);
  const text =
    told.state === 'sent'
      ? t('alerts.told_sent', { when: when(told.sent_ms) })
      : told.state === 'waiting'
        ? t('alerts.told_waiting', { when: when(told.next_try_ms) })
        : t('alerts.told_given_up');
  const tries =
    told.tries > 1 || told.state !== 'sent'
      ? html` <span class="soft">(${t('alerts.told_tries', { n: told.tries })})</span>`
      : '';
  return html`${stateMark(STATES[told.state], html`${text}${tries}`)}${told.outcome ? html`<span class="soft small wrap">${told.outcome}</span>` : ''}`;
}
