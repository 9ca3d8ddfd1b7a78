/** `/plan/savings?month=2026-04`: what a month saved; `/plan/simulate`: a battery in past months. */
import { addMonths, localDate } from '../../../engine/model/time.ts';
import { type SavingsView, savingsPage } from '../../../web/pages/savings.ts';
import { type SimulateView, simulatePage, simulationsRegion } from '../../../web/pages/simulate.ts';
import type { Ui } from '../../../web/ui.ts';
import { monthStart } from '../../services/bills.ts';
import { tariffExamples } from '../../services/tariff-examples.ts';
import type { Actor } from '../../services.ts';
import { hasRole } from '../api.ts';
import type { LiveView } from '../stream.ts';
import { fieldsOf, refusable, sentence } from './form.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendPage, signedIn, uiOf } from './page.ts';

const SHOWN = 10;

export function createSavingsPages(deps: PageDeps) {
  const { services } = deps;
  const app = createPageApp();
  app.get('/plan/savings', signedIn(deps), async (c) => {
    const ui = uiOf(deps, c);
    const month = c.req.query('month') ?? monthOf(addMonths(ui.now_ms, 0, ui.time_zone), ui);
    return sendPage(c, savingsPage(await savingsOf(deps, readerOf(c), month, ui), ui));
  });
  app.get('/plan/simulate', signedIn(deps), async (c) => {
    const ui = uiOf(deps, c);
    return sendPage(c, simulatePage(await simulateOf(deps, readerOf(c), ui), ui));
  });
  app.post('/plan/simulate', signedIn(deps, 'analyst'), csrfChecked(deps), async (c) => {
    const values = await fieldsOf(c);
    const number = (name: string) => Number((values[name] ?? '').replace(',', '.'));
    const asked = {
      ...{ from: values.from, to: values.to, capacity_kWh: number('capacity_kWh'), power_kW: number('power_kW') },
      ...(values.tariff ? { tariff: values.tariff } : {}),
    };
    const outcome = await refusable(() => services.simulations.begin(readerOf(c), asked));
    if ('done' in outcome) return c.redirect('/plan/simulate', 303);
    const ui = uiOf(deps, c);
    const view = await simulateOf(deps, readerOf(c), ui);
    return sendPage(
      c,
      simulatePage({ ...view, form: { values, errors: {} }, problem: sentence(outcome.refused) }, ui),
      400,
    );
  });
  const live: LiveView = {
    fast: async () => ({}),
    slow: async (actor, ui: Ui) => ({ simulations: simulationsRegion(await simulateOf(deps, actor, ui), ui) }),
    isSlow: (event) => event.type === 'progress' && event.task.startsWith('simulation'),
    slowEverySlot: false,
  };
  return { app, live };
}

async function savingsOf({ services }: PageDeps, { tenant }: Actor, month: string, ui: Ui): Promise<SavingsView> {
  const month_ms = monthStart(month, ui.time_zone);
  const next_ms = addMonths(month_ms, 1, ui.time_zone);
  const outcome = await refusable(() => services.savings.month(tenant, month));
  const ledger = await services.savings.ledger(tenant);
  return {
    ...{ month, month_ms, previous: monthOf(addMonths(month_ms, -1, ui.time_zone), ui) },
    next: next_ms <= ui.now_ms ? monthOf(next_ms, ui) : null,
    problem: 'refused' in outcome ? sentence(outcome.refused) : null,
    savings: 'done' in outcome ? outcome.done : null,
    ledger: ledger.map((one) => ({
      ...{ month: one.month, month_ms: monthStart(one.month, ui.time_zone), saving: one.saving },
      ...{ currency: one.currency, complete: one.complete },
    })),
  };
}

async function simulateOf({ services }: PageDeps, actor: Actor, ui: Ui): Promise<SimulateView> {
  const [devices, simulations] = await Promise.all([
    services.plans.devices(actor.tenant),
    services.simulations.list(actor.tenant),
  ]);
  const batteries = devices.flatMap((device) => (device.kind === 'battery' ? [device] : []));
  const sum = (of: (battery: (typeof batteries)[number]) => number) =>
    batteries.reduce((total, one) => total + of(one), 0);
  const last = monthOf(addMonths(ui.now_ms, -1, ui.time_zone), ui);
  return {
    can_begin: hasRole(actor, 'analyst'),
    form: { values: {}, errors: {} },
    defaults: {
      ...{ from: last, to: last, capacity_kWh: String(sum((one) => one.capacity_kWh) || 10) },
      power_kW: String(sum((one) => one.charge_W / 1000) || 5),
    },
    problem: null,
    tariffs: tariffExamples().map(({ id, yaml }) => ({ id, name: services.tariffs.read(yaml).tariff?.name ?? id })),
    simulations: simulations.slice(0, SHOWN),
  };
}

function monthOf(at_ms: number, { time_zone }: Ui): string {
  return localDate(at_ms, time_zone).slice(0, 7);
}
