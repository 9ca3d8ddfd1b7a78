/** `/admin/site`: the settings of the site and its energy price, and the demo. */
import { Hono } from 'hono';
import { PRICE_AREAS } from '../../../../connectors/prices/areas.ts';
import type { EnergyPrice, Site } from '../../../../engine/model/site.ts';
import { NOTHING_TOLD } from '../../../../web/pages/admin/frame.ts';
import { type AdminSiteView, adminSitePage } from '../../../../web/pages/admin/site.ts';
import type { Ui } from '../../../../web/ui.ts';
import type { Env } from '../../api.ts';
import { fieldsOf, refusable, sentence } from '../form.ts';
import { csrfChecked, type PageDeps, readerOf, sendPage, signedIn, uiOf } from '../page.ts';
import { type FormValues, readSiteForm, textValues } from '../site-form.ts';

export function createAdminSitePages(deps: PageDeps) {
  const { site, demo, tariffs } = deps.services;
  const app = new Hono<Env>();
  const areas = PRICE_AREAS.map(({ area, name }) => ({ area, name }));
  const viewOf = (tenant: string, ui: Ui): AdminSiteView => {
    const known = site.get(tenant);
    const tariff = known && !tariffs.simple(tenant) ? (tariffs.current(tenant)?.tariff.name ?? '') : null;
    const values = known ? valuesOf(known, tariffs.simple(tenant), ui) : {};
    const form = known ? { values, errors: {}, areas, tariff } : null;
    return {
      form,
      demo: known?.demo || demo.running() ? 'running' : known ? 'blocked' : 'possible',
      told: NOTHING_TOLD,
    };
  };

  app.get('/admin/site', signedIn(deps, 'admin'), (c) => {
    const ui = uiOf(deps, c);
    const told = { ...NOTHING_TOLD, saved: c.req.query('saved') !== undefined };
    return sendPage(c, adminSitePage({ ...viewOf(readerOf(c).tenant, ui), told }, ui));
  });
  app.post('/admin/site', signedIn(deps, 'admin'), csrfChecked(deps), async (c) => {
    const actor = readerOf(c);
    const ui = uiOf(deps, c);
    const known = site.get(actor.tenant);
    if (!known) return c.redirect('/setup', 303);
    const values = textValues(await fieldsOf(c));
    const simple = tariffs.simple(actor.tenant) !== null;
    const { settings, errors } = readSiteForm(values, known.id, ui, { price: simple });
    const show = (problem: string | null) =>
      sendPage(
        c,
        adminSitePage(
          {
            ...viewOf(actor.tenant, ui),
            form: { values, errors, areas, tariff: simple ? null : (tariffs.current(actor.tenant)?.tariff.name ?? '') },
            told: { saved: false, problem },
          },
          ui,
        ),
        400,
      );
    if (Object.keys(errors).length > 0) return show(null);
    const outcome = await refusable(() => site.save(actor, { ...settings, ...keptPlace(settings, known) }));
    return 'refused' in outcome ? show(sentence(outcome.refused)) : c.redirect('/admin/site?saved', 303);
  });
  return app;
}

/** Coordinates that were not typed into the place stay while the place does. */
function keptPlace(
  typed: Pick<Site, 'place' | 'latitude'>,
  known: Site,
): Partial<Pick<Site, 'latitude' | 'longitude'>> {
  if (typed.latitude !== null || typed.place !== known.place) return {};
  return { latitude: known.latitude, longitude: known.longitude };
}

function valuesOf(site: Site, price: EnergyPrice | null, ui: Ui): FormValues {
  const number = (value: number) => (ui.language === 'de' ? String(value).replace('.', ',') : String(value));
  const { name, place, time_zone, country, currency } = site;
  if (price === null) return { name, place, time_zone, country, currency };
  const own: Record<string, number> =
    price.kind === 'fixed' ? { per_kWh: price.per_kWh } : { factor: price.factor, fee_per_kWh: price.fee_per_kWh };
  const numbers = Object.entries({ ...own, vat_percent: price.vat_percent }).map(([key, value]) => [
    key,
    number(value),
  ]);
  return {
    ...{ name, place, time_zone, country, currency, price_kind: price.kind },
    ...(price.kind === 'day-ahead' ? { area: price.area } : {}),
    ...Object.fromEntries(numbers),
  };
}
