/** A battery in past months: the form, how far a simulation is, and what each policy would have paid. */
import { html } from 'hono/html';
import type { PolicyName } from '../../engine/dispatch/site-simulation.ts';
import { type FormState, selectControl, textControl } from '../components/controls.ts';
import { layout } from '../components/layout.ts';
import { card, csrfField, notice } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';

export type SimulateView = {
  can_begin: boolean;
  form: FormState;
  defaults: Readonly<Record<string, string>>;
  problem: string | null;
  tariffs: readonly { id: string; name: string }[];
  simulations: readonly {
    id: string;
    asked: { from: string; to: string; capacity_kWh: number; power_kW: number; tariff?: string | undefined };
    at_ms: number;
    state: 'waiting' | 'running' | 'done' | 'failed';
    done: number;
    total: number;
    problem: string | null;
    result: {
      currency: string;
      days: number;
      days_left_out: number;
      policies: readonly {
        name: PolicyName;
        bill: number;
        saving: number;
        low: number;
        high: number;
        capture: number | null;
        cycles: number;
        peak_kW: number;
      }[];
    } | null;
  }[];
};

export function simulatePage(view: SimulateView, ui: Ui): Html {
  return layout(ui, {
    title: ui.t('simulate.title'),
    page: 'plan',
    styles: ['bill.css'],
    live: 'page=simulate',
    action: html`<a class="small" href="/plan">${ui.t('plan.form.back')}</a>`,
    content: html`${view.can_begin ? formCard(view, ui) : ''}<div class="region" id="simulations" sse-swap="simulations" hx-swap="morph:innerHTML">${simulationsRegion(view, ui)}</div>`,
  });
}

function formCard({ form, defaults, problem, tariffs }: SimulateView, ui: Ui): Html {
  const { t } = ui;
  const text = (id: 'from' | 'to' | 'capacity_kWh' | 'power_kW') =>
    textControl(form, { id, label: t(`simulate.${id}`), value: defaults[id] ?? '' });
  return card({
    title: t('simulate.form'),
    content: html`<p class="soft small">${t('simulate.hint')}</p>${problem ? notice('fault', problem) : ''}
<form class="form" method="post" action="/plan/simulate">${csrfField(ui)}<div class="form-row">${text('from')}${text('to')}</div><div class="form-row">${text('capacity_kWh')}${text('power_kW')}</div>
${selectControl(form, { id: 'tariff', label: t('plan.what_if_tariff'), options: [['', t('plan.what_if_own')], ...tariffs.map(({ id, name }) => [id, name] as const)] })}
<div class="actions"><button class="primary">${t('simulate.begin')}</button></div></form>`,
  });
}

export function simulationsRegion({ simulations }: Pick<SimulateView, 'simulations'>, ui: Ui): Html {
  if (simulations.length === 0) return html`<p class="soft">${ui.t('simulate.none')}</p>`;
  return html`<div class="stack">${simulations.map((one) => simulationCard(one, ui))}</div>`;
}

function simulationCard(one: SimulateView['simulations'][number], ui: Ui): Html {
  const { t, format } = ui;
  const { asked } = one;
  const title = t('simulate.card', {
    ...{
      from: asked.from,
      to: asked.to,
      capacity: format.energy(asked.capacity_kWh),
      power: format.power(asked.power_kW * 1000),
    },
  });
  return card({
    title,
    content: contentOf(one, ui),
    aside: html`<span class="small soft">${format.ago(one.at_ms, ui.now_ms)}</span>`,
  });
}

function contentOf({ state, done, total, problem, result }: SimulateView['simulations'][number], ui: Ui): Html {
  const { t, format } = ui;
  if (state === 'failed') return notice('fault', problem ?? '');
  if (!result)
    return html`<p role="status">${t('simulate.progress', { done, total })}</p><progress max="${total}" value="${done}" aria-label="${t('simulate.progress', { done, total })}"></progress>`;
  const money = (amount: number) => format.money(amount, result.currency);
  const rows = result.policies.map(
    (
      one,
    ) => html`<tr><th scope="row">${t(`simulate.policy.${one.name}`)}</th><td class="numbers">${money(one.bill)}</td>
<td class="numbers">${one.name === 'none' ? '–' : html`${money(one.saving)} <span class="soft small">${t('simulate.interval', { low: money(one.low), high: money(one.high) })}</span>`}</td>
<td class="numbers">${one.capture === null || one.name === 'none' ? '–' : format.percent(one.capture)}</td><td class="numbers">${format.number(one.cycles)}</td><td class="numbers">${format.power(one.peak_kW * 1000)}</td></tr>`,
  );
  const heads = ['policy', 'bill', 'saving', 'capture', 'cycles', 'peak'] as const;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${t('simulate.results')}"><table class="bill"><thead><tr>${heads.map((head) => html`<th scope="col" class="${head === 'policy' ? '' : 'numbers'}">${t(`simulate.head_${head}`)}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>
<p class="small soft">${t('simulate.days', { days: format.number(result.days), left_out: format.number(result.days_left_out) })}</p>`;
}
