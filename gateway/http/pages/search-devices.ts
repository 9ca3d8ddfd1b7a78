/** `/meters/new/search`: an admin searches the network or a bus, watches it, and goes on to what was found. */
import type { Context } from 'hono';
import type { ModbusConnection } from '../../../connectors/meters/modbus/source.ts';
import { EMPTY_FORM, type FormState } from '../../../web/components/controls.ts';
import { type SearchView, searchPage, searchPart } from '../../../web/pages/add-meter/search.ts';
import type { Ui } from '../../../web/ui.ts';
import type { SearchWish } from '../../services/discovery-search.ts';
import type { Env } from '../api.ts';
import type { LiveView } from '../stream.ts';
import { readConnection } from './connection-form.ts';
import { faultsByField, fieldsOf, refusable } from './form.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendPage, signedIn, uiOf } from './page.ts';

const FIELDS = ['ranges', 'host', 'port', 'path', 'baud', 'parity', 'from_unit', 'to_unit'];

/** @returns the app and the live view that goes by the name `search`. Mount it before `/meters/:id`. */
export function createSearchPages(deps: PageDeps) {
  const { search, profiles, devices } = deps.services;
  const app = createPageApp();
  const admin = signedIn(deps, 'admin');
  const csrf = csrfChecked(deps);

  const viewOf = (tenant: string): SearchView | null => {
    const state = search.state(tenant);
    if (!state) return null;
    return {
      ...state,
      found: state.found.map(({ profile, connection, known, ...found }) => ({
        ...found,
        profile: profile === null ? null : profiles.get(profile),
        is_modbus: connection?.kind === 'modbus-tcp' || connection?.kind === 'modbus-rtu',
        known: known === null ? null : { id: known, name: devices.get(tenant, known)?.name ?? known },
      })),
    };
  };
  const isRunning = (c: Context<Env>) => search.state(readerOf(c).tenant)?.state === 'running';
  const show = (c: Context<Env>, form: FormState = EMPTY_FORM, problem: string | null = null) => {
    const view = { search: viewOf(readerOf(c).tenant), form, suggested: search.suggestedRanges(), problem };
    const bad = problem !== null || Object.keys(form.errors).length > 0;
    return sendPage(c, searchPage(view, uiOf(deps, c)), bad ? 400 : 200);
  };

  app.get('/meters/new/search', admin, (c) => show(c));
  app.post('/meters/new/search', admin, csrf, async (c) => {
    const values = await fieldsOf(c);
    const { wish, errors } = readWish(values, uiOf(deps, c));
    if (Object.keys(errors).length > 0) return show(c, { values, errors });
    if (isRunning(c)) return c.redirect('/meters/new/search', 303);
    const outcome = await refusable(() => search.start(readerOf(c), wish));
    if (!('refused' in outcome)) return c.redirect('/meters/new/search', 303);
    const faults = faultsByField(outcome.refused, FIELDS);
    return show(c, { values, errors: faults.errors }, faults.problem);
  });
  app.post('/meters/new/search/stop', admin, csrf, async (c) => {
    // It may have ended while the person reached for the button.
    if (isRunning(c)) await search.stop(readerOf(c));
    return c.redirect('/meters/new/search', 303);
  });
  const live: LiveView = {
    fast: async () => ({}),
    slow: async (actor, ui) => {
      const view = actor.role === 'admin' ? viewOf(actor.tenant) : null;
      return view ? { search: searchPart(view, ui) } : ({} as Record<string, ReturnType<typeof searchPart>>);
    },
    isSlow: (event) => event.type === 'progress' && event.task === 'search',
  };
  return { app, live };
}

function readWish(
  values: Readonly<Record<string, string>>,
  ui: Ui,
): { wish: SearchWish; errors: Record<string, string> } {
  if (values.what !== 'bus') {
    const ranges = (values.ranges ?? '').split(/[\s,;]+/).filter(Boolean);
    const errors: Record<string, string> = {};
    if (ranges.length === 0) errors.ranges = ui.t('setup.fault_needed');
    if (values.confirmed === undefined) errors.confirmed = ui.t('search.confirm_needed');
    return { wish: { kind: 'network', ranges }, errors };
  }
  const read = readConnection({ ...values, unit: '1', poll_s: '10' }, 'modbus', ui);
  const errors: Record<string, string> = { ...read.errors };
  const unitOf = (name: string) => {
    const unit = Number(values[name]);
    if (!Number.isInteger(unit) || unit < 1 || unit > 247) errors[name] = ui.t('setup.fault_number');
    return unit;
  };
  const [from_unit, to_unit] = [unitOf('from_unit'), unitOf('to_unit')];
  return { wish: { kind: 'bus', connection: read.connection as ModbusConnection, from_unit, to_unit }, errors };
}
