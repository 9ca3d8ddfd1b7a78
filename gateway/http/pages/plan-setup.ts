/** `/plan/devices/…`, `/plan/settings`, `/plan/signals`: what a plan may move, how it is made, who may hold it back. */
import type { Context } from 'hono';
import { stringify } from 'yaml';
import { NotFoundError } from '../../../engine/errors.ts';
import type { FormState } from '../../../web/components/controls.ts';
import { planDevicePage } from '../../../web/pages/plan-device.ts';
import { DEVICE_KINDS, type DeviceKind, MOST_ROWS } from '../../../web/pages/plan-device-fields.ts';
import { type PlanDeviceFormView, planDeviceFormPage } from '../../../web/pages/plan-device-form.ts';
import { planSettingsPage } from '../../../web/pages/plan-settings.ts';
import { planSignalsPage } from '../../../web/pages/plan-signals.ts';
import { exampleDevice } from '../../services/plans/examples.ts';
import type { Actor } from '../../services.ts';
import { type Env, hasRole } from '../api.ts';
import { fieldsOf, refusable, sentence } from './form.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendPage, signedIn, uiOf } from './page.ts';
import { deviceId, deviceValues, newDeviceValues, readDevice, rowCount } from './plan-device-values.ts';
import { signalsView } from './plan-evidence.ts';
import { inputsFrom, inputValues, settingsFrom, settingsValues } from './plan-setup-values.ts';
import { readYaml } from './yaml-text.ts';

type Said = { form?: FormState; problem?: string | null; saved?: boolean };

export function createPlanSetupPages(deps: PageDeps) {
  const { plans, gridSignals } = deps.services;
  const app = createPageApp();
  const admin = signedIn(deps, 'admin');

  app.get('/plan/settings', admin, (c) => showSettings(c, { saved: c.req.query('saved') !== undefined }));
  app.post('/plan/settings', admin, csrfChecked(deps), async (c) => {
    const values = await fieldsOf(c);
    const { settings, errors } = settingsFrom(values, uiOf(deps, c));
    if (Object.keys(errors).length > 0) return showSettings(c, { form: { values, errors } }, 400);
    const outcome = await refusable(() => plans.saveSettings(readerOf(c), settings));
    if ('done' in outcome) return c.redirect('/plan/settings?saved', 303);
    return showSettings(c, { form: { values, errors }, problem: sentence(outcome.refused) }, 400);
  });

  app.get('/plan/signals', signedIn(deps), (c) => showSignals(c, { saved: c.req.query('saved') !== undefined }));
  app.post('/plan/signals/inputs', admin, csrfChecked(deps), async (c) => {
    const values = await fieldsOf(c);
    const { inputs, errors } = inputsFrom(values, uiOf(deps, c));
    if (Object.keys(errors).length > 0) return showSignals(c, { form: { values, errors } }, 400);
    const outcome = await refusable(() => gridSignals.saveInputs(readerOf(c), inputs));
    if ('done' in outcome) return c.redirect('/plan/signals?saved#inputs', 303);
    return showSignals(c, { form: { values, errors }, problem: sentence(outcome.refused) }, 400);
  });

  app.get('/plan/devices/:id', admin, async (c) => {
    const ui = uiOf(deps, c);
    const id = c.req.param('id');
    const as_text = c.req.query('as') === 'text';
    if (id === 'new') {
      const kind = kindOf(c.req.query('kind'));
      if (as_text)
        return sendPage(c, planDevicePage({ id: null, kind, name: '', yaml: exampleDevice(kind), faults: [] }, ui));
      return showForm(c, null, kind, { values: newDeviceValues(kind, ui), errors: {} });
    }
    const device = await stored(c, id);
    const { kind, name } = device;
    if (as_text) return sendPage(c, planDevicePage({ id, kind, name, yaml: stringify(device), faults: [] }, ui));
    return showForm(c, id, kind, { values: deviceValues(device, ui), errors: {} });
  });
  app.post('/plan/devices/:id', admin, csrfChecked(deps), async (c) => {
    const values = await fieldsOf(c);
    const id = c.req.param('id') === 'new' ? null : c.req.param('id');
    if (values.yaml !== undefined) return saveText(c, id, values.yaml);
    const kind = id === null ? kindOf(values.kind) : (await stored(c, id)).kind;
    if (values.act === 'more') {
      const rows = String(Math.min(MOST_ROWS, rowCount(values) + 1));
      return showForm(c, id, kind, { values: { ...values, rows }, errors: {} });
    }
    return saveForm(c, id, kind, values);
  });
  app.post('/plan/devices/:id/remove', admin, csrfChecked(deps), async (c) => {
    await plans.removeDevice(readerOf(c), c.req.param('id'));
    return c.redirect('/plan', 303);
  });
  return app;

  async function stored(c: Context<Env>, id: string) {
    const device = (await plans.devices(readerOf(c).tenant)).find((one) => one.id === id);
    if (!device) throw new NotFoundError('There is no such device in the plan.');
    return device;
  }

  async function saveForm(c: Context<Env>, id: string | null, kind: DeviceKind, values: Record<string, string>) {
    const taken = id === null ? (await plans.devices(readerOf(c).tenant)).map((one) => one.id) : [];
    const own = id ?? deviceId(values.name ?? '', kind, ['new', ...taken]);
    const { device, errors } = readDevice(kind, own, values, uiOf(deps, c));
    if (Object.keys(errors).length > 0) return showForm(c, id, kind, { values, errors }, null, 400);
    const outcome = await refusable(() => plans.saveDevice(readerOf(c), device));
    if ('done' in outcome) return c.redirect('/plan#devices', 303);
    return showForm(c, id, kind, { values, errors }, sentence(outcome.refused), 400);
  }

  async function saveText(c: Context<Env>, id: string | null, yaml: string) {
    const outcome = await refusable(async () => {
      const device = readYaml(yaml, 'Begin with "kind: battery".');
      return plans.saveDevice(readerOf(c), id === null ? device : { ...device, id });
    });
    if ('done' in outcome) return c.redirect('/plan#devices', 303);
    const { faults, message } = outcome.refused;
    const shown = faults.length > 0 ? faults : [{ where: '', problem: message }];
    const kind = id === null ? 'battery' : (await stored(c, id)).kind;
    return sendPage(c, planDevicePage({ id, kind, name: id ?? '', yaml, faults: shown }, uiOf(deps, c)), 400);
  }

  async function showForm(
    c: Context<Env>,
    id: string | null,
    kind: DeviceKind,
    form: FormState,
    problem: string | null = null,
    status: 200 | 400 = 200,
  ) {
    const { tenant } = readerOf(c);
    const points = deps.services.meters.list(tenant).map(({ id: point, name, role }) => ({ id: point, name, role }));
    const view: PlanDeviceFormView = {
      ...{ id, kind, form, problem, rows: rowCount(form.values), name: form.values.name ?? id ?? '' },
      // Batteries first: it is nearly always one of them.
      soc_meters: points.toSorted((a, b) => Number(b.role === 'battery') - Number(a.role === 'battery')),
      meters: points.filter(({ role }) => role === 'load' || role === 'sub-meter'),
      ...boxDevices(deps, tenant),
    };
    return sendPage(c, planDeviceFormPage(view, uiOf(deps, c)), status);
  }

  async function showSettings(c: Context<Env>, said: Said, status: 200 | 400 = 200) {
    const { tenant } = readerOf(c);
    const ui = uiOf(deps, c);
    const form = said.form ?? { values: settingsValues(await plans.settings(tenant), ui), errors: {} };
    const currency = deps.services.site.get(tenant)?.currency ?? 'EUR';
    const view = { form, currency, saved: said.saved ?? false, problem: said.problem ?? null };
    return sendPage(c, planSettingsPage(view, ui), status);
  }

  async function showSignals(c: Context<Env>, said: Said, status: 200 | 400 = 200) {
    const actor = readerOf(c);
    const ui = uiOf(deps, c);
    const inputs = hasRole(actor, 'admin')
      ? {
          ...{ problem: said.problem ?? null, saved: said.saved ?? false, ...boxDevices(deps, actor.tenant) },
          form: said.form ?? { values: inputValues(await gridSignals.inputs(actor.tenant), ui), errors: {} },
        }
      : null;
    return sendPage(c, planSignalsPage({ ...(await signalsView(deps, actor)), inputs }, ui), status);
  }
}

function kindOf(asked: string | undefined): DeviceKind {
  return DEVICE_KINDS.find((kind) => kind === asked) ?? 'battery';
}

/** Devices with a credential hear MQTT; those behind Modbus are written to. */
function boxDevices({ services }: PageDeps, tenant: Actor['tenant']) {
  const all = services.devices.list(tenant);
  const choices = (kinds: readonly string[]) =>
    all.filter(({ connection }) => kinds.includes(connection.kind)).map(({ id, name }) => ({ id, name }));
  return { mqtt_devices: choices(['mqtt', 'push']), modbus_devices: choices(['modbus-tcp', 'modbus-rtu']) };
}
