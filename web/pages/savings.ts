/** What a month saved, on what was measured: parts and lines that add up to the cent, and the control beside them. */
import { html } from 'hono/html';
import { layout } from '../components/layout.ts';
import { card, linkButton, notice } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';

export type SavingsView = {
  month: string;
  month_ms: number;
  previous: string;
  next: string | null;
  problem: string | null;
  savings: {
    currency: string;
    actual: number;
    without: number;
    saving: number;
    parts: readonly {
      name: string;
      amount: number;
      lines: readonly { kind: string; name: string; amount: number }[];
    }[];
    complete: boolean;
    missing_slots: number;
    unproved: readonly string[];
    control: { plan: number; shuffled: number } | null;
  } | null;
  ledger: readonly { month: string; month_ms: number; saving: number; currency: string; complete: boolean }[];
};

export function savingsPage(view: SavingsView, ui: Ui): Html {
  const { t } = ui;
  const steps = html`<div class="actions no-print">${linkButton(`/plan/savings?month=${view.previous}`, t('savings.previous'))}${view.next ? linkButton(`/plan/savings?month=${view.next}`, t('savings.next')) : ''}<button type="button" data-print hidden>${t('plan.signals_print')}</button></div>`;
  return layout(ui, {
    title: t('savings.title'),
    page: 'plan',
    styles: ['bill.css'],
    scripts: ['bill.js'],
    action: html`<a class="small" href="/plan">${t('plan.form.back')}</a>`,
    content: html`<div class="stack">${steps}${view.problem ? notice('warning', view.problem) : ''}${view.savings ? monthCards(view, ui) : ''}</div>${ledgerCard(view, ui)}`,
  });
}

function monthCards({ month_ms, savings }: SavingsView, ui: Ui): Html {
  const { t, format } = ui;
  const one = savings!;
  const exact = (amount: number) =>
    new Intl.NumberFormat(format.locale, { style: 'currency', currency: one.currency })
      .format(amount)
      .replace('-', '\u2212');
  const state = one.complete
    ? ''
    : notice(
        'warning',
        one.missing_slots > 0
          ? t('savings.missing', { slots: format.number(one.missing_slots) })
          : t('savings.running'),
      );
  const parts = one.parts.map(
    (
      part,
    ) => html`<tr class="subtotal"><th scope="row">${part.name}</th><td class="numbers">${exact(part.amount)}</td></tr>
${part.lines.map((line) => html`<tr class="soft"><td>${line.name}</td><td class="numbers">${exact(line.amount)}</td></tr>`)}`,
  );
  return html`${state}${card({
    title: t('savings.month', { month: monthName(month_ms, ui) }),
    content: html`<p class="figure">${exact(one.saving)}</p>
<p class="soft">${t('savings.figure', { actual: exact(one.actual), without: exact(one.without) })}</p>
<div class="scroll" tabindex="0" role="region" aria-label="${t('savings.parts')}"><table class="bill"><thead><tr><th scope="col">${t('savings.part')}</th><th scope="col" class="numbers">${t('savings.not_paid')}</th></tr></thead>
<tbody>${parts}<tr class="total"><th scope="row">${t('savings.sum')}</th><td class="numbers">${exact(one.saving)}</td></tr></tbody></table></div>
${one.unproved.length > 0 ? html`<p class="small soft">${t('savings.unproved', { devices: one.unproved.join(', ') })}</p>` : ''}`,
  })}
${one.control ? controlCard(one.control, exact, ui) : ''}`;
}

function controlCard(
  { plan, shuffled }: { plan: number; shuffled: number },
  exact: (amount: number) => string,
  { t }: Ui,
): Html {
  const destroyed = shuffled < 0.25 * plan;
  return card({
    title: t('savings.control'),
    content: html`<p>${t('savings.control_words', { plan: exact(plan), shuffled: exact(shuffled) })}</p><p class="soft">${t(destroyed ? 'savings.control_holds' : 'savings.control_fails')}</p>`,
  });
}

function ledgerCard({ ledger }: SavingsView, ui: Ui): Html | string {
  if (ledger.length === 0) return '';
  return card({
    title: ui.t('savings.ledger'),
    content: html`<ul class="rows">${ledger.map(
      (one) =>
        html`<li><a href="/plan/savings?month=${one.month}">${monthName(one.month_ms, ui)}</a><span class="numbers">${ui.format.money(one.saving, one.currency)}${one.complete ? '' : html` <span class="soft">${ui.t('savings.so_far')}</span>`}</span></li>`,
    )}</ul>`,
  });
}

function monthName(at_ms: number, { format, time_zone }: Ui): string {
  return new Intl.DateTimeFormat(format.locale, { month: 'long', year: 'numeric', timeZone: time_zone }).format(
    at_ms + 86_400_000,
  );
}
