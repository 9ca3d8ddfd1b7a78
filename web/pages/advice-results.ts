/** What the advice has brought: acceptance, realised savings and regret, week by week. */
import { html } from 'hono/html';
import { weekBars } from '../charts/week-bars.ts';
import { card } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';

/** Money by the meters with its 90 % interval; `low` and `high` null: not known. */
export type Realised = { amount: number; low: number | null; high: number | null };
export type AdviceResults = {
  currency: string;
  realised: Realised | null;
  /** Accepted ones whose effect is still to come. */
  waiting: number;
  weeks: readonly {
    from_ms: number;
    shown: number;
    accepted: number;
    dismissed: number;
    realised: Realised | null;
    regret: number | null;
  }[];
  kinds: readonly { name: string; accepted: number; answered: number }[];
  /** The policy at work, in words; for analysts and admins. */
  policy: { name: string; judged_ms: number | null; rows: number } | null;
};

export function resultsCard(results: AdviceResults | null, ui: Ui): Html {
  const { t, format } = ui;
  if (!results)
    return card({ title: t('advice.results'), content: html`<p class="soft">${t('common.unavailable')}</p>` });
  const { weeks, currency } = results;
  const accepted = weeks.reduce((sum, week) => sum + week.accepted, 0);
  const answered = accepted + weeks.reduce((sum, week) => sum + week.dismissed, 0);
  if (answered === 0)
    return card({ title: t('advice.results'), content: html`<p class="soft">${t('advice.results_none')}</p>` });
  const shares = weeks.map((week) => shareOf(week));
  const at_ms = weeks.map((week) => week.from_ms);
  const money = (one: Realised | null) => (one === null ? '–' : format.money(one.amount, currency));
  const range = realisedRange(results.realised, currency, ui);
  const points = (value: number | null) => (value === null ? '–' : format.number(value, 2));
  const lost = weeks.flatMap(({ regret }) => regret ?? []);
  const mean = lost.length === 0 ? null : lost.reduce((a, b) => a + b, 0) / lost.length;
  return card({
    title: t('advice.results'),
    content: html`<div class="week-plots">
${weekBars(ui, { at_ms, values: shares, tone: 'battery', title: t('advice.acceptance'), figure: format.percent(accepted / answered), note: t('advice.acceptance_note', { accepted, answered }) })}
${weekBars(ui, { at_ms, values: weeks.map(({ realised }) => realised?.amount ?? null), tone: 'generation', title: t('advice.realised'), figure: money(results.realised), note: [range && `${range}.`, t('advice.realised_note', { waiting: results.waiting })].filter(Boolean).join(' ') })}
${weekBars(ui, { at_ms, values: weeks.map(({ regret }) => regret), tone: 'warning', title: t('advice.regret'), figure: points(mean), note: t('advice.regret_note') })}
</div>
${kindRows(results, ui)}
<details class="data-table"><summary>${t('chart.table')}</summary><div class="scroll" tabindex="0" role="region" aria-label="${t('advice.results')}"><table>
<thead><tr><th scope="col">${t('advice.week')}</th>${[t('advice.shown'), t('advice.accepted'), t('advice.dismissed'), t('advice.realised'), t('advice.regret')].map((name) => html`<th scope="col" class="numbers">${name}</th>`)}</tr></thead>
<tbody>${weeks.map((week) => html`<tr><th scope="row">${format.date(week.from_ms)}</th><td class="numbers">${week.shown}</td><td class="numbers">${week.accepted}</td><td class="numbers">${week.dismissed}</td><td class="numbers">${money(week.realised)}${rangeBelow(week.realised, currency, ui)}</td><td class="numbers">${points(week.regret)}</td></tr>`)}</tbody>
</table></div></details>${policyLine(results.policy, ui)}`,
  });
}

/** `0.40 € to 3.10 €`; empty where the interval is not known. */
export function realisedRange(realised: Realised | null, currency: string, { t, format }: Ui): string {
  if (!realised || realised.low === null || realised.high === null) return '';
  const money = (amount: number) => format.money(amount, currency);
  return t('advice.realised_range', { low: money(realised.low), high: money(realised.high) });
}

function rangeBelow(realised: Realised | null, currency: string, ui: Ui): Html | string {
  const range = realisedRange(realised, currency, ui);
  return range === '' ? '' : html`<br><span class="small soft">${range}</span>`;
}

function shareOf({ accepted, dismissed }: AdviceResults['weeks'][number]): number | null {
  return accepted + dismissed === 0 ? null : accepted / (accepted + dismissed);
}

function kindRows({ kinds }: AdviceResults, ui: Ui): Html {
  return html`<ul class="rows">${kinds.map(
    ({ name, accepted, answered }) =>
      html`<li><span>${name}</span><span class="soft">${ui.t('advice.share', { accepted, answered })}</span></li>`,
  )}</ul>`;
}

function policyLine(policy: AdviceResults['policy'], ui: Ui): Html | string {
  if (!policy) return '';
  const { t, format } = ui;
  const judged =
    policy.judged_ms === null
      ? t('advice.not_judged')
      : t('advice.judged', { when: format.when(policy.judged_ms, ui.now_ms), rows: policy.rows });
  return html`<p class="small soft">${t('advice.policy', { name: policy.name })} ${judged} <a href="/api/v1/recommend/log?format=parquet" download>Parquet</a> · <a href="/api/v1/recommend/log" download>JSON</a></p>`;
}
