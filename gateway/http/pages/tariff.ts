/** `/tariff`: the versions of the site's tariff, their text with its check, and tomorrow's prices under it. */
import type { Context } from 'hono';
import { InvalidDataError } from '../../../engine/errors.ts';
import { addDays, dayStart, instantOf, localDate } from '../../../engine/model/time.ts';
import { decimalsOf } from '../../../engine/tariff/money.ts';
import type { Tariff, TariffVersion } from '../../../engine/tariff/tariff.ts';
import { type TariffView, tariffPage } from '../../../web/pages/tariff.ts';
import type { Ui } from '../../../web/ui.ts';
import { tariffExamples } from '../../services/tariff-examples.ts';
import type { Env } from '../api.ts';
import { fieldsOf, refusable, sentence } from './form.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendPage, signedIn, uiOf } from './page.ts';

type Said = Partial<Pick<TariffView, 'draft' | 'faults' | 'problem' | 'effect' | 'saved'>>;

export function createTariffPages(deps: PageDeps) {
  const { tariffs, bills, prices } = deps.services;
  const app = createPageApp();

  app.get('/tariff', signedIn(deps), async (c) => show(c, { saved: c.req.query('saved') !== undefined }));
  app.post('/tariff', signedIn(deps, 'admin'), csrfChecked(deps), async (c) => {
    const { valid_from = '', yaml = '', act } = await fieldsOf(c);
    const draft = { valid_from, yaml: yaml.replaceAll('\r\n', '\n') };
    const { tariff, faults } = tariffs.read(draft.yaml);
    if (!tariff) return show(c, { draft, faults }, 400);
    if (act === 'save') {
      const outcome = await refusable(() => tariffs.save(readerOf(c), valid_from, draft.yaml));
      if ('refused' in outcome) return show(c, { draft, problem: sentence(outcome.refused) }, 400);
      return c.redirect(`/tariff?from=${encodeURIComponent(valid_from)}&saved`, 303);
    }
    const outcome = await refusable(() => bills.effect(readerOf(c).tenant, valid_from, tariff));
    if ('refused' in outcome) return show(c, { draft, problem: sentence(outcome.refused) }, 400);
    const { currency, months } = outcome.done;
    const at = (month: string) => {
      const [year, number] = month.split('-').map(Number);
      return instantOf(tariff.time_zone, year!, number!, 1);
    };
    const effect = {
      ...{ currency, decimals: decimalsOf(currency) },
      months: months.map(({ month, before, after }) => ({ month_ms: at(month), before, after })),
    };
    return show(c, { draft, faults: [], effect }, 200, tariff);
  });
  app.post('/tariff/remove', signedIn(deps, 'admin'), csrfChecked(deps), async (c) => {
    const { valid_from = '' } = await fieldsOf(c);
    const outcome = await refusable(() => tariffs.remove(readerOf(c), valid_from));
    if ('refused' in outcome) return show(c, { problem: sentence(outcome.refused) }, 400);
    return c.redirect('/tariff?saved', 303);
  });
  return app;

  async function show(c: Context<Env>, said: Said, status: 200 | 400 = 200, checked?: Tariff) {
    const ui = uiOf(deps, c);
    const { tenant } = readerOf(c);
    const versions = tariffs.versions(tenant);
    const current = tariffs.current(tenant);
    const draft = said.draft ?? draftOf(c, versions, current?.valid_from, ui);
    const tomorrow_ms = addDays(dayStart(ui.now_ms, ui.time_zone), 1, ui.time_zone);
    const view: TariffView = {
      ...{ faults: null, problem: null, effect: null, saved: false, ...said, draft },
      versions: versions.map((one) => ({
        ...{ valid_from: one.valid_from, name: one.tariff.name, by: one.by, at_ms: one.at_ms },
        current: one.valid_from === current?.valid_from,
      })),
      examples: tariffExamples().map(({ id, yaml }) => ({ id, name: tariffs.read(yaml).tariff?.name ?? id })),
      preview: await preview(
        tenant,
        tomorrow_ms,
        ui,
        checked ? [{ valid_from: '1970-01-01', tariff: checked }] : undefined,
      ),
    };
    return sendPage(c, tariffPage(view, ui), status);
  }

  async function preview(tenant: string, from_ms: number, ui: Ui, draft?: readonly TariffVersion[]) {
    if (!draft && tariffs.versions(tenant).length === 0) return null;
    const to_ms = addDays(from_ms, 1, ui.time_zone);
    try {
      return { prices: await prices.slots(tenant, from_ms, to_ms, draft), from_ms, to_ms };
    } catch (error) {
      if (error instanceof InvalidDataError) return null;
      throw error;
    }
  }
}

type Known = readonly { valid_from: string; yaml: string }[];

/** The version asked for, a new one from the current or an example, or the current one. */
function draftOf(c: Context<Env>, versions: Known, current: string | undefined, ui: Ui): TariffView['draft'] {
  const asked = c.req.query('from');
  const example = tariffExamples().find(({ id }) => id === c.req.query('example'));
  const now = versions.find(({ valid_from }) => valid_from === current) ?? versions.at(-1);
  const today = localDate(ui.now_ms, ui.time_zone);
  const known = versions.find(({ valid_from }) => valid_from === asked);
  const valid_from = known?.valid_from ?? (asked === undefined ? (now?.valid_from ?? today) : today);
  return { valid_from, yaml: example?.yaml ?? known?.yaml ?? now?.yaml ?? tariffExamples()[0]!.yaml };
}
