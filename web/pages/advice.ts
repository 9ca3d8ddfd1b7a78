/** Advice: few cards with one decision each and why, what to read, and what came of earlier ones. */
import { html } from 'hono/html';
import { icon } from '../components/icon.ts';
import { layout } from '../components/layout.ts';
import { card, csrfField, emptyState } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';
import { type AdviceResults, type Realised, realisedRange, resultsCard } from './advice-results.ts';
import { type AdviceForm, settingsCard } from './advice-settings.ts';

export type Outcome = 'accepted' | 'dismissed' | 'snoozed';
export type AdviceCard = {
  id: string;
  kind: string;
  text: string;
  why: string;
  saving: { amount: number; low: number; high: number; currency: string } | null;
  propensity: number;
  deadline_ms: number | null;
  effort_min: number;
  like_this: { accepted: number; answered: number };
  chosen_by: 'learner' | 'rule' | 'chance';
  link: string | null;
};
export type AdvicePassage = {
  href: string;
  title: string;
  where: string;
  quote: string;
  because: { kind: 'question' | 'view'; text: string };
};
export type EarlierAdvice = {
  text: string;
  at_ms: number;
  outcome: Outcome | null;
  realised: Realised | null;
  currency: string | null;
};
export type AdviceView = {
  decision_id: string;
  quiet: boolean;
  actions: readonly AdviceCard[];
  passages: readonly AdvicePassage[];
  earlier: readonly EarlierAdvice[];
  /** Null where it could not be gathered. */
  results: AdviceResults | null;
  /** Null for who may not change it. */
  settings: AdviceForm | null;
};

const ICONS: Record<string, string> = {
  shift_load: 'clock-arrow-up',
  precondition: 'thermometer-sun',
  run_battery: 'battery-charging',
  lower_peak: 'chart-no-axes-column-decreasing',
  charge_vehicles: 'plug-zap',
  use_surplus: 'sun-medium',
  check_meter: 'gauge',
  check_base_load: 'moon-star',
  inspect_generation: 'sun',
  change_tariff: 'receipt',
  set_14a_module: 'sliders-horizontal',
  read_passage: 'book-open',
  confirm_repair: 'wrench',
};
const ANSWERS = { accepted: 'now.accepted', snoozed: 'now.snoozed', dismissed: 'now.dismissed' } as const;
const WORDS = { accepted: 'advice.accepted', dismissed: 'advice.dismissed', snoozed: 'advice.snoozed' } as const;
const CHOSEN = { learner: 'advice.by_learner', rule: 'advice.by_rule', chance: 'advice.by_chance' } as const;

export function advicePage(view: AdviceView, ui: Ui): Html {
  const empty = view.quiet
    ? { title: ui.t('advice.quiet_title'), text: ui.t('advice.quiet'), icon: 'moon-star' }
    : { title: ui.t('advice.none_title'), text: ui.t('advice.none'), icon: 'lightbulb' };
  const cards =
    view.actions.length === 0
      ? emptyState(empty)
      : view.actions.map((action) => actionCard(action, view.decision_id, ui));
  const more = html`${passagesCard(view.passages, ui)}${resultsCard(view.results, ui)}${earlierCard(view, ui)}${view.settings ? settingsCard(view.settings, ui) : ''}`;
  return layout(ui, { title: ui.t('advice.title'), page: 'advice', content: html`${cards}${more}` });
}

function actionCard(action: AdviceCard, decision: string, ui: Ui): Html {
  const { t, format } = ui;
  const { saving, like_this: like } = action;
  const gain = saving
    ? html`<p class="saving"><span class="soft">${t('advice.saves')}</span> <b class="figure">${format.money(saving.amount, saving.currency)}</b> <span class="soft">${t('now.saving_range', { low: format.money(saving.low, saving.currency), high: format.money(saving.high, saving.currency) })}</span></p>`
    : html`<p class="soft">${t('advice.without_saving')}</p>`;
  const by = action.deadline_ms === null ? '' : t('now.by', { time: format.when(action.deadline_ms, ui.now_ms) });
  const effort = action.effort_min > 0 ? t('advice.effort', { minutes: action.effort_min }) : '';
  const times = [by, effort].filter(Boolean).join(' · ');
  const answers = like.answered > 0 ? t('advice.like_this', { accepted: like.accepted, answered: like.answered }) : '';
  return html`<section class="card half advice" data-kind="${action.kind}">
<p class="advice-text">${icon(ICONS[action.kind] ?? 'lightbulb')} ${action.link ? html`<a href="${action.link}">${action.text}</a>` : action.text}</p>
${gain}${times ? html`<p class="soft">${icon('clock')} ${times}</p>` : ''}<p>${action.why}${answers ? html` <span class="like-this">${answers}</span>` : ''}</p>
<form class="actions" method="post" action="/advice" hx-post="/advice" hx-target="closest section" hx-swap="outerHTML">
${csrfField(ui)}<input type="hidden" name="decision" value="${decision}"><input type="hidden" name="action" value="${action.id}">
<button class="primary" name="outcome" value="accepted">${t('now.accept')}</button>
<button name="outcome" value="snoozed">${t('now.later')}</button>
<button name="outcome" value="dismissed">${t('now.no')}</button>
</form>
<p class="small soft">${t(CHOSEN[action.chosen_by])} ${t('advice.chosen', { percent: format.percent(action.propensity) })}</p>
</section>`;
}

/** What stands in a card's place after a click. */
export function actionAnswered(outcome: Outcome, text: string, ui: Ui): Html {
  return html`<section class="card half advice"><p class="soft">${text}</p><p role="status">${icon('check')} ${ui.t(ANSWERS[outcome])}</p></section>`;
}

function passagesCard(passages: AdviceView['passages'], ui: Ui): Html | string {
  if (passages.length === 0) return '';
  return card({
    title: ui.t('advice.passages'),
    content: html`<ul class="quotes">${passages.map(
      ({ href, title, where, quote, because }) =>
        html`<li><a class="source" href="${href}">${icon('file-text')}<span>${[title, where].filter(Boolean).join(' · ')}</span></a>
<blockquote>${quote}</blockquote><p class="small soft">${ui.t(because.kind === 'question' ? 'advice.because_asked' : 'advice.because_read', { text: because.text })}</p></li>`,
    )}</ul>`,
  });
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
    content: html`<ul class="rows">${earlier.map(({ text, outcome, at_ms, realised, currency }) => {
      const brought = realised === null || currency === null ? '' : ` · ${measuredWords(realised, currency, ui)}`;
      return html`<li><span>${text}</span><span class="soft">${outcome ? t(WORDS[outcome]) : t('advice.open')}${brought} · ${format.when(at_ms, ui.now_ms)}</span></li>`;
    })}</ul>`,
  });
}

function measuredWords(realised: Realised, currency: string, ui: Ui): string {
  const range = realisedRange(realised, currency, ui);
  const measured = ui.t('advice.realised_one', { amount: ui.format.money(realised.amount, currency) });
  return range === '' ? measured : `${measured} (${range})`;
}
