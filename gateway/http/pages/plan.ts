/** `/plan`: what the box would do and why; another battery or tariff; a device set by hand. */
import type { Context } from 'hono';
import { InvalidDataError } from '../../../engine/errors.ts';
import { type PlanView, planPage, planRegion } from '../../../web/pages/plan.ts';
import {
  type HandResult,
  type PlanControls,
  type WhatIfResult,
  whatIfWords,
} from '../../../web/pages/plan-controls.ts';
import type { Ui } from '../../../web/ui.ts';
import type { PlanChange } from '../../services/plans.ts';
import { tariffExamples } from '../../services/tariff-examples.ts';
import type { Actor } from '../../services.ts';
import { tariffNamed } from '../api/plan.ts';
import { type Env, hasRole } from '../api.ts';
import type { LiveView } from '../stream.ts';
import { fieldsOf, refusable, sentence } from './form.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendPage, sendPart, signedIn, uiOf } from './page.ts';

type Said = { what_if?: WhatIfResult; hand?: HandResult };

export function createPlanPages(deps: PageDeps) {
  const { services } = deps;
  const app = createPageApp();
  const show = async (c: Context<Env>, said: Said = {}, status: 200 | 400 = 200) => {
    const ui = uiOf(deps, c);
    return sendPage(c, planPage(await gather(deps, readerOf(c), said), ui), status);
  };

  app.get('/plan', signedIn(deps), (c) => show(c));
  app.post('/plan/what-if', signedIn(deps), csrfChecked(deps), async (c) => {
    const ui = uiOf(deps, c);
    const result = await whatIf(deps, readerOf(c), await fieldsOf(c));
    if (!c.req.header('hx-request')) return show(c, { what_if: result });
    const currency = (await services.plans.latest(readerOf(c).tenant))?.currency ?? ui.format.currency;
    return sendPart(c, whatIfWords(result, currency, ui));
  });
  app.post('/plan/overrides', signedIn(deps, 'analyst'), csrfChecked(deps), async (c) => {
    const values = await fieldsOf(c);
    const outcome = await refusable(async () => {
      const override = overrideOf(values, services.clock.now());
      if (values.act === 'set') return { set: await services.plans.override(readerOf(c), override), cost: null };
      return services.plans.overrideCost(readerOf(c).tenant, override);
    });
    if ('refused' in outcome) return show(c, { hand: { values, cost: null, problem: sentence(outcome.refused) } }, 400);
    if ('set' in outcome.done) return c.redirect('/plan#hand', 303);
    return show(c, { hand: { values, cost: outcome.done.cost, problem: null } });
  });
  app.post('/plan/overrides/:id/lift', signedIn(deps, 'analyst'), csrfChecked(deps), async (c) => {
    await services.plans.liftOverride(readerOf(c), c.req.param('id'));
    return c.redirect('/plan#hand', 303);
  });

  const live: LiveView = {
    fast: async () => ({}),
    slow: async (actor, ui: Ui) => ({ plan: planRegion(await gather(deps, actor, {}), ui) }),
    isSlow: (event) => event.type === 'plan',
    slowEverySlot: true,
  };
  return { app, live };
}

async function gather({ services }: PageDeps, actor: Actor, said: Said): Promise<PlanView> {
  const { plans, gridSignals, setpoints, tariffs, site } = services;
  const { tenant } = actor;
  const [plan, devices, overrides, { minimum_W }] = await Promise.all([
    plans.latest(tenant),
    plans.devices(tenant),
    plans.overrides(tenant),
    gridSignals.minimum_W(tenant),
  ]);
  const problem = plans.problem(tenant);
  const [strictest] = gridSignals.active(tenant).toSorted((a, b) => a.limit_W - b.limit_W);
  const controls: PlanControls = {
    ...{ can_change: hasRole(actor, 'admin'), can_override: hasRole(actor, 'analyst') },
    ...{ devices, overrides, minimum_W, setpoints: setpoints.state(tenant) },
    currency: plan?.currency ?? site.get(tenant)?.currency ?? 'EUR',
    signal: strictest ? { limit_W: strictest.limit_W, since_ms: strictest.from_ms } : null,
    tariffs: tariffExamples().map(({ id, yaml }) => ({ id, name: tariffs.read(yaml).tariff?.name ?? id })),
    ...{ what_if: said.what_if ?? null, hand: said.hand ?? null },
  };
  return {
    plan,
    problem: problem && { at_ms: problem.at_ms, text: [problem.message, problem.remedy].filter(Boolean).join(' ') },
    controls,
  };
}

async function whatIf(
  { services }: PageDeps,
  { tenant }: Actor,
  values: Record<string, string>,
): Promise<WhatIfResult> {
  const battery_kWh = Number(values.battery_kWh ?? Number.NaN);
  const outcome = await refusable(async () => {
    const change: PlanChange = {
      ...(Number.isFinite(battery_kWh) && battery_kWh >= 0 ? { battery_kWh } : {}),
      ...(values.tariff ? { tariff: tariffNamed(services.tariffs, values.tariff) } : {}),
    };
    const [plan, other] = [await services.plans.latest(tenant), await services.plans.whatIf(tenant, change)];
    return { other, more: plan ? other.cost.total - plan.cost.total : 0 };
  });
  if ('refused' in outcome) return { problem: sentence(outcome.refused) };
  const { other, more } = outcome.done;
  return {
    battery_kWh: battery_kWh || 0,
    tariff: values.tariff ?? '',
    cost: other.cost.total,
    more,
    saving: other.saving.none,
  };
}

/** @throws InvalidDataError */
function overrideOf(values: Record<string, string>, now_ms: number) {
  const power_W = Number((values.power_kW ?? '').replace(',', '.')) * 1000;
  const hours = Number(values.hours);
  if (!Number.isFinite(power_W) || power_W < 0)
    throw new InvalidDataError('The power is no number.', 'Give kW, from 0 on.');
  if (!(hours > 0 && hours <= 48)) throw new InvalidDataError('The time is none.', 'Choose one of the list.');
  const sign = values.direction === 'discharge' ? 1 : values.direction === 'charge' ? -1 : 0;
  return { device: values.device ?? '', from_ms: now_ms, to_ms: now_ms + hours * 3_600_000, power_W: sign * power_W };
}
