/** `/meters/new/virtual` and `/meters/:id/formula`: sums and differences of meter points. Mount it before `/meters/:id`. */
import type { Context } from 'hono';
import { NotFoundError } from '../../../engine/errors.ts';
import type { MeterPoint } from '../../../engine/model/site.ts';
import { EMPTY_FORM, type FormState } from '../../../web/components/controls.ts';
import { type VirtualView, virtualMeterPage } from '../../../web/pages/virtual-meter.ts';
import type { Env } from '../api.ts';
import { freeId, meterRole } from './add-meter.ts';
import { faultsByField, fieldsOf, refusable } from './form.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendPage, signedIn, uiOf } from './page.ts';

export function createVirtualMeterPages(deps: PageDeps) {
  const { services } = deps;
  const { meters } = services;
  const app = createPageApp();
  const admin = signedIn(deps, 'admin');
  const show = (c: Context<Env>, point: MeterPoint | null, form: FormState, problem: string | null = null) => {
    const { tenant } = readerOf(c);
    const factors = new Map((point?.virtual ?? []).map(({ meter, factor }) => [meter, factor]));
    const others = meters.list(tenant).filter((each) => each.id !== point?.id);
    const view: VirtualView = {
      point,
      role: point?.role ?? 'load',
      parent: point?.parent ?? null,
      suggested_id: freeId(services, tenant, 'computed'),
      terms: others.map(({ id, name, role }) => ({ id, name, role, factor: factors.get(id) ?? 0 })),
      form,
      problem,
    };
    const bad = problem !== null || Object.keys(form.errors).length > 0;
    return sendPage(c, virtualMeterPage(view, uiOf(deps, c)), bad ? 400 : 200);
  };
  const save = async (c: Context<Env>, point: MeterPoint | null) => {
    const actor = readerOf(c);
    const ui = uiOf(deps, c);
    const values = await fieldsOf(c);
    const id = point?.id ?? values.id?.trim() ?? '';
    const terms = meters.list(actor.tenant).flatMap((each) => {
      const factor = Number(values[`factor_${each.id}`] ?? 0);
      return Number.isFinite(factor) && factor !== 0 ? [{ meter: each.id, factor }] : [];
    });
    const errors: Record<string, string> = {};
    for (const name of point ? ['name'] : ['name', 'id'])
      if (!values[name]?.trim()) errors[name] = ui.t('setup.fault_needed');
    if (terms.length === 0) errors.formula = ui.t('virtual.fault_formula');
    if (!point && meters.get(actor.tenant, id)) errors.id = ui.t('virtual.fault_taken', { id });
    if (Object.keys(errors).length > 0) return show(c, point, { values, errors });
    const role = meterRole(values.role) ?? 'load';
    const wish = { id, name: values.name!.trim(), role, device: null, channel: 'main', parent: values.parent || null };
    const outcome = await refusable(() => meters.save(actor, { ...wish, virtual: terms }));
    if ('done' in outcome) return c.redirect(`/meters/${encodeURIComponent(id)}`, 303);
    const faults = faultsByField(outcome.refused, ['id', 'name', 'role', 'parent']);
    return show(c, point, { values, errors: faults.errors }, faults.problem);
  };
  const pointOf = (c: Context<Env>): MeterPoint => {
    const point = meters.get(readerOf(c).tenant, c.req.param('id') ?? '');
    if (point?.virtual) return point;
    throw new NotFoundError('There is no such computed meter.', 'It may have been removed already.');
  };

  app.get('/meters/new/virtual', admin, (c) => show(c, null, EMPTY_FORM));
  app.post('/meters/new/virtual', admin, csrfChecked(deps), (c) => save(c, null));
  app.get('/meters/:id/formula', admin, (c) => show(c, pointOf(c), EMPTY_FORM));
  app.post('/meters/:id/formula', admin, csrfChecked(deps), (c) => save(c, pointOf(c)));
  app.post('/meters/:id/remove', admin, csrfChecked(deps), async (c) => {
    const point = pointOf(c);
    const outcome = await refusable(() => meters.remove(readerOf(c), point.id));
    if ('done' in outcome) return c.redirect('/meters', 303);
    return show(c, point, EMPTY_FORM, [outcome.refused.message, outcome.refused.remedy].filter(Boolean).join(' '));
  });
  return app;
}
