/** Plan: what the box will do, and why. */
import { html } from 'hono/html';
import type { RuleName } from '../../engine/dispatch/baselines.ts';
import type { SlotReason } from '../../engine/dispatch/plan-report.ts';
import type { DeviceKind, GaveWay, PlanCost } from '../../engine/dispatch/site.ts';
import { layout } from '../components/layout.ts';
import { age, card, emptyState, linkButton, notice } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';
import { planChart } from './plan-chart.ts';
import { devicesCard, handCard, type PlanControls, signalCard, whatIfCard } from './plan-controls.ts';
import { assumptionSentence, limitSentence, reasonSentence } from './plan-words.ts';

/** A plan as the page needs it; the gateway's stored plan is one. */
export type PlanShown = {
  made_ms: number;
  from_ms: number;
  slot_min: number;
  currency: string;
  import_price: readonly number[];
  export_price: readonly number[];
  load_W: readonly number[];
  generation_W: readonly number[];
  grid_W: readonly number[];
  unplanned_W: readonly number[];
  devices: readonly {
    id: string;
    name: string;
    kind: DeviceKind;
    power_W: readonly number[];
    energy_kWh: readonly number[];
    capacity_kWh: number | null;
    reasons: readonly SlotReason[];
  }[];
  cost: PlanCost;
  baselines: readonly { name: RuleName; cost: PlanCost }[];
  saving: { none: number; rule: number; best_rule: RuleName };
  gave_way: readonly GaveWay[];
  proof: { gap: number; objective: number };
  assumptions: readonly (
    | { code: 'price-forecast'; from_ms: number }
    | { code: 'shorter-horizon'; hours: number }
    | { code: 'peak-gaps'; slots: number }
    | { code: 'arrival'; device: string }
    | { code: 'heat-store'; device: string }
    | { code: 'nowcast'; power_W: number }
  )[];
};

export type PlanView = {
  plan: PlanShown | null;
  /** Why the last attempt gave no plan. */
  problem: { at_ms: number; text: string } | null;
  controls: PlanControls;
};

export function planPage(view: PlanView, ui: Ui): Html {
  return layout(ui, {
    title: ui.t('page.plan'),
    page: 'plan',
    as_of_ms: view.plan?.made_ms ?? null,
    live: 'page=plan',
    scripts: ['chart.js', 'plan.js'],
    content: html`<div class="region" id="plan-now" sse-swap="plan" hx-swap="morph:innerHTML">${planRegion(view, ui)}</div>
${view.controls.devices.length === 0 ? '' : controlCards(view, ui)}`,
  });
}

function controlCards({ plan, controls }: PlanView, ui: Ui): Html {
  return html`${plan ? whatIfCard(controls, ui) : ''}${controls.can_override ? handCard(controls, ui) : ''}
${devicesCard(controls, ui)}${signalCard(controls, ui)}${moreCard(ui)}`;
}

/** All that changes by itself: with every new plan. */
export function planRegion(view: PlanView, ui: Ui): Html {
  const { plan, problem } = view;
  if (view.controls.devices.length === 0) return nothingYet(view, ui);
  const trouble = problem
    ? notice('warning', ui.rich('plan.stale', { age: age(ui, problem.at_ms), problem: problem.text }))
    : '';
  if (!plan) return html`<div class="stack">${trouble || html`<p class="headline">${ui.t('plan.none_yet')}</p>`}</div>`;
  return html`<div class="stack">${trouble}${headline(plan, ui)}${broken(plan, ui)}
${card({ title: ui.t('plan.chart'), content: planChart(plan, ui), aside: html`<span class="small soft">${ui.rich('plan.made', { age: age(ui, plan.made_ms) })}</span>` })}
${savingCard(plan, ui)}${assumed(plan, ui)}</div>`;
}

function nothingYet({ controls }: PlanView, ui: Ui): Html {
  return emptyState({
    title: ui.t('plan.empty_title'),
    text: ui.t(controls.can_change ? 'plan.empty' : 'plan.empty_user'),
    icon: 'calendar-check',
    ...(controls.can_change ? { actions: linkButton('/plan/devices/new', ui.t('plan.add_device'), 'primary') } : {}),
  });
}

/** What each device does now, most power first. */
function headline(plan: PlanShown, ui: Ui): Html {
  const t = Math.floor((ui.now_ms - plan.from_ms) / (plan.slot_min * 60_000));
  const now = plan.devices
    .filter(({ power_W }) => power_W[t] !== undefined)
    .toSorted((a, b) => Math.abs(b.power_W[t]!) - Math.abs(a.power_W[t]!));
  const [first, ...others] = now.map((device) => reasonSentence(device, t, ui));
  if (!first) return html``;
  return html`<p class="headline">${first}.</p>${others.map((sentence) => html`<p class="soft">${sentence}.</p>`)}`;
}

function broken(plan: PlanShown, ui: Ui): Html | string {
  if (plan.gave_way.length === 0) return '';
  const sentences = plan.gave_way.slice(0, 6).map((one) => html`<li>${limitSentence(one, plan.devices, ui)}</li>`);
  return notice('warning', html`<p><b>${ui.t('plan.gave_way')}</b></p><ul>${sentences}</ul>`);
}

function savingCard(plan: PlanShown, ui: Ui): Html {
  const { t, format } = ui;
  const money = (amount: number) => format.money(amount, plan.currency);
  const { cost, saving } = plan;
  const until = format.when(plan.from_ms + plan.grid_W.length * plan.slot_min * 60_000, ui.now_ms);
  const parts = [
    [t('plan.cost_import'), cost.import],
    [t('plan.cost_export'), -cost.export],
    [t('plan.cost_demand'), cost.demand],
    [t('plan.cost_wear'), cost.wear],
    [t('plan.cost_stored'), -cost.stored],
  ] as const;
  return card({
    title: t('plan.saving'),
    content: html`<p class="figure">${money(saving.none)}</p><p class="soft">${t('plan.saving_figure', { until })}</p>
<ul class="rows sums"><li><span>${t('plan.saving_rule', { rule: t(`plan.rule.${saving.best_rule}`) })}</span><b class="numbers">${money(saving.rule)}</b></li>
<li><span>${t('plan.cost_total')}</span><b class="numbers">${money(cost.total)}</b></li>
${parts.filter(([, amount]) => Math.abs(amount) >= 0.005).map(([name, amount]) => html`<li class="soft"><span>${name}</span><span class="numbers">${money(amount)}</span></li>`)}</ul>
<p class="small soft">${t('plan.proof', { gap: money(Math.max(0.01, plan.proof.gap * Math.max(1, Math.abs(plan.proof.objective)))) })}</p>`,
  });
}

function assumed(plan: PlanShown, ui: Ui): Html | string {
  if (plan.assumptions.length === 0) return '';
  return html`<details class="card full"><summary>${ui.t('plan.assumed')}</summary><ul>${plan.assumptions.map((one) => html`<li>${assumptionSentence(one, ui)}</li>`)}</ul></details>`;
}

function moreCard(ui: Ui): Html {
  return card({
    title: ui.t('plan.more'),
    size: 'half',
    content: html`<ul class="rows"><li><a href="/plan/savings">${ui.t('plan.to_savings')}</a></li>
<li><a href="/plan/simulate">${ui.t('plan.to_simulate')}</a></li>
<li><a href="/api/v1/plan.ics" download>${ui.t('plan.to_calendar')}</a></li></ul>`,
  });
}
