/** The cards beside the flow: what today costs, and the first thing one could do. */
import { html } from 'hono/html';
import { icon } from '../components/icon.ts';
import { card } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';
import type { DayCost, NowView } from './now.ts';

const SLOT_MS = 15 * 60_000;
/** Below this share of the usual cost a difference is not said. */
const SAME = 0.02;

export function costCard(cost: DayCost, ui: Ui): Html {
  const { t, format } = ui;
  if (cost.amount === null)
    return card({
      title: t('now.cost'),
      content: html`<p class="soft">${t(cost.pending ? 'common.gathering' : cost.failed ? 'common.unavailable' : 'now.cost_none')}</p>`,
    });
  const details = [
    cost.import_kWh === null
      ? ''
      : html`<span>${t('now.cost_import', { energy: format.energy(cost.import_kWh) })}</span>`,
    cost.missing_slots === 0
      ? ''
      : html`<span>${t('now.cost_missing', { duration: format.duration(cost.missing_slots * SLOT_MS) })}</span>`,
  ];
  return card({
    title: t('now.cost'),
    content: html`<div class="cost"><p class="figure">${format.money(cost.amount, cost.currency)}</p>${verdict(cost, cost.amount, ui)}</div>
${bars(cost, cost.amount, ui)}
<p class="small soft cost-details">${details}</p>`,
  });
}

function verdict(cost: DayCost, amount: number, ui: Ui): Html {
  if (cost.usual === null || cost.usual <= 0) return html`<p class="soft small">${ui.t('now.cost_no_usual')}</p>`;
  const ratio = amount / cost.usual - 1;
  if (Math.abs(ratio) < SAME) return html`<p>${icon('equal')} ${ui.t('now.cost_same')}</p>`;
  const percent = ui.format.percent(Math.abs(ratio));
  return ratio < 0
    ? html`<p>${icon('trending-down')} ${ui.t('now.cost_less', { percent })}</p>`
    : html`<p>${icon('trending-up')} ${ui.t('now.cost_more', { percent })}</p>`;
}

/** Today against the usual day as two bars; the words beside them carry the numbers. */
function bars(cost: DayCost, amount: number, ui: Ui): Html | string {
  if (cost.usual === null || cost.usual <= 0) return '';
  const top = Math.max(amount, cost.usual, 1e-9);
  const share = (value: number) => `${Math.max(0, (value / top) * 100).toFixed(1)}%`;
  const usual = ui.t('now.cost_usual', {
    amount: ui.format.money(cost.usual, cost.currency),
    weekday: ui.format.weekday(ui.now_ms),
    time: ui.format.time(ui.now_ms),
  });
  return html`<div class="bars" aria-hidden="true"><svg><rect class="bar-today" width="${share(amount)}" height="100%" rx="2"/></svg>
<svg><rect class="bar-usual" width="${share(cost.usual)}" height="100%" rx="2"/></svg></div>
<p class="small soft">${usual}</p>`;
}

export function adviceCard(view: Pick<NowView, 'advice' | 'next'>, ui: Ui): Html {
  const { t, format } = ui;
  const aside = html`<a class="small" href="/advice">${t('now.advice_all')}</a>`;
  if (!view.advice) {
    const isNew = view.next.history.has_days < view.next.history.need_days;
    const text = t(view.next.pending ? 'common.gathering' : isNew ? 'now.advice_none_new' : 'now.advice_none');
    return card({ title: t('now.advice'), aside, content: html`<p class="soft">${text}</p>` });
  }
  const { action, decision_id } = view.advice;
  const { saving } = action;
  const gain = saving
    ? html`<p class="saving"><b>${t('now.saving', { amount: format.money(saving.amount, saving.currency) })}</b> <span class="soft small">${t('now.saving_range', { low: format.money(saving.low, saving.currency), high: format.money(saving.high, saving.currency) })}</span></p>`
    : '';
  const by = action.deadline_ms
    ? html` <span class="soft">${t('now.by', { time: format.when(action.deadline_ms, ui.now_ms) })}</span>`
    : '';
  return card({
    title: t('now.advice'),
    aside,
    content: html`<p class="advice-text">${action.link ? html`<a href="${action.link}">${action.text}</a>` : action.text}${by}</p>
${gain}<p class="small soft">${action.why}</p>
<form class="actions" method="post" action="/now/advice" hx-post="/now/advice" hx-target="closest section" hx-swap="outerHTML">
<input type="hidden" name="_csrf" value="${ui.csrf}"><input type="hidden" name="decision" value="${decision_id}"><input type="hidden" name="action" value="${action.id}">
<button class="primary" name="outcome" value="accepted">${t('now.accept')}</button>
<button name="outcome" value="snoozed">${t('now.later')}</button>
<button name="outcome" value="dismissed">${t('now.no')}</button>
</form>`,
  });
}

const ANSWERS = { accepted: 'now.accepted', snoozed: 'now.snoozed', dismissed: 'now.dismissed' } as const;

/** What stands there after a click. */
export function adviceAnswered(outcome: keyof typeof ANSWERS, ui: Ui): Html {
  return card({
    title: ui.t('now.advice'),
    aside: html`<a class="small" href="/advice">${ui.t('now.advice_all')}</a>`,
    content: html`<p role="status">${icon('check')} ${ui.t(ANSWERS[outcome])}</p>`,
  });
}
