/** Advice: few cards with one decision each, and what came of earlier ones. */
import { html } from 'hono/html';
import { icon } from '../components/icon.ts';
import { layout } from '../components/layout.ts';
import { card, csrfField, emptyState } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';

export type Outcome = 'accepted' | 'dismissed' | 'snoozed';
export type AdviceCard = {
  id: string;
  kind: string;
  text: string;
  why: string;
  saving: { amount: number; low: number; high: number; currency: string } | null;
  propensity: number;
  deadline_ms: number | null;
  link: string | null;
};
export type AdviceView = {
  decision_id: string;
  actions: readonly AdviceCard[];
  earlier: readonly { text: string; at_ms: number; outcome: Outcome | null; saving: AdviceCard['saving'] }[];
};

const ICONS: Record<string, string> = {
  shift_load: 'clock-arrow-up',
  run_battery: 'battery-charging',
  charge_vehicles: 'plug-zap',
  check_meter: 'gauge',
  check_base_load: 'moon-star',
  inspect_generation: 'sun',
};
const ANSWERS = { accepted: 'now.accepted', snoozed: 'now.snoozed', dismissed: 'now.dismissed' } as const;
const WORDS = { accepted: 'advice.accepted', dismissed: 'advice.dismissed', snoozed: 'advice.snoozed' } as const;

export function advicePage(view: AdviceView, ui: Ui): Html {
  const cards =
    view.actions.length === 0
      ? emptyState({ title: ui.t('advice.none_title'), text: ui.t('advice.none'), icon: 'lightbulb' })
      : view.actions.map((action) => actionCard(action, view.decision_id, ui));
  return layout(ui, { title: ui.t('advice.title'), page: 'advice', content: html`${cards}${earlierCard(view, ui)}` });
}

function actionCard(action: AdviceCard, decision: string, ui: Ui): Html {
  const { t, format } = ui;
  const { saving } = action;
  const gain = saving
    ? html`<p class="saving"><span class="soft">${t('advice.saves')}</span> <b class="figure">${format.money(saving.amount, saving.currency)}</b> <span class="soft">${t('now.saving_range', { low: format.money(saving.low, saving.currency), high: format.money(saving.high, saving.currency) })}</span></p>`
    : html`<p class="soft">${t('advice.without_saving')}</p>`;
  const by =
    action.deadline_ms === null
      ? ''
      : html`<p class="soft">${icon('clock')} ${t('now.by', { time: format.when(action.deadline_ms, ui.now_ms) })}</p>`;
  return html`<section class="card half advice">
<p class="advice-text">${icon(ICONS[action.kind] ?? 'lightbulb')} ${action.link ? html`<a href="${action.link}">${action.text}</a>` : action.text}</p>
${gain}${by}<p>${action.why}</p>
<form class="actions" method="post" action="/advice" hx-post="/advice" hx-target="closest section" hx-swap="outerHTML">
${csrfField(ui)}<input type="hidden" name="decision" value="${decision}"><input type="hidden" name="action" value="${action.id}">
<button class="primary" name="outcome" value="accepted">${t('now.accept')}</button>
<button name="outcome" value="snoozed">${t('now.later')}</button>
<button name="outcome" value="dismissed">${t('now.no')}</button>
</form>
<p class="small soft">${t('advice.chosen', { percent: format.percent(action.propensity) })}</p>
</section>`;
}

/** What stands in a card's place after a click. */
export function actionAnswered(outcome: Outcome, text: string, ui: Ui): Html {
  return html`<section class="card half advice"><p class="soft">${text}</p><p role="status">${icon('check')} ${ui.t(ANSWERS[outcome])}</p></section>`;
}

function earlierCard({ earlier }: AdviceView, ui: Ui): Html {
  const { t, format } = ui;
  if (earlier.length === 0)
    return card({ title: t('advice.earlier'), content: html`<p class="soft">${t('advice.earlier_none')}</p>` });
  const answered = earlier.filter((entry) => entry.outcome === 'accepted' || entry.outcome === 'dismissed');
  const accepted = answered.filter((entry) => entry.outcome === 'accepted').length;
  return card({
    title: t('advice.earlier'),
    aside:
      answered.length > 0
        ? html`<span class="small soft">${t('advice.share', { accepted, answered: answered.length })}</span>`
        : '',
    content: html`<ul class="rows">${earlier.map(
      (entry) =>
        html`<li><span>${entry.text}</span><span class="soft">${entry.outcome ? t(WORDS[entry.outcome]) : t('advice.open')} · ${format.when(entry.at_ms, ui.now_ms)}</span></li>`,
    )}</ul>`,
  });
}
