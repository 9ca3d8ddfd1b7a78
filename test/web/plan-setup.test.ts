/** Devices of the plan, how plans are made and where signals come from, as forms: what is typed, kept, refused, shown. */
import { beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { PlanDeviceSchema, PlanSettingsSchema } from '../../engine/dispatch/plan-devices.ts';
import { InvalidDataError } from '../../engine/errors.ts';
import { deviceId, deviceValues, newDeviceValues, readDevice } from '../../gateway/http/pages/plan-device-values.ts';
import { inputsFrom, inputValues, settingsFrom, settingsValues } from '../../gateway/http/pages/plan-setup-values.ts';
import { GridInputsSchema } from '../../gateway/services/grid-signals.ts';
import { exampleDevice } from '../../gateway/services/plans/examples.ts';
import type { Services } from '../../gateway/services.ts';
import { createFormat } from '../../web/format.ts';
import { createTranslate } from '../../web/i18n/text.ts';
import { DEVICE_KINDS } from '../../web/pages/plan-device-fields.ts';
import { CSRF, createSampleApp } from './sample-app.ts';
import { createSampleServices } from './sample-services.ts';

const uiOf = (language: 'en' | 'de') => {
  const t = createTranslate(language);
  return { language, t, format: createFormat({ language, time_zone: 'Europe/Berlin', currency: 'EUR', t }) };
};
const saved: { device: unknown[]; settings: unknown[]; inputs: unknown[] } = { device: [], settings: [], inputs: [] };
const services = createSampleServices();
const plans: Services['plans'] = {
  ...services.plans,
  saveDevice: async (_actor, value) => {
    const device = PlanDeviceSchema.parse(value);
    if (device.kind === 'battery' && device.soc_meter === 'nobody')
      throw new InvalidDataError('There is no meter point "nobody".', 'Choose one of the list.');
    saved.device.push(device);
    return device;
  },
  saveSettings: async (_actor, value) => {
    saved.settings.push(value);
    return PlanSettingsSchema.parse(value);
  },
};
const gridSignals: Services['gridSignals'] = {
  ...services.gridSignals,
  saveInputs: async (_actor, value) => {
    saved.inputs.push(value);
    return GridInputsSchema.parse(value);
  },
};
const app = createSampleApp({ ...services, plans, gridSignals });
beforeEach(() => {
  for (const list of Object.values(saved)) list.length = 0;
});

async function send(path: string, fields: Record<string, string>, language: 'en' | 'de' = 'en') {
  const body = new URLSearchParams({ _csrf: CSRF, ...fields });
  const answer = await app.request(path, { method: 'POST', body, headers: { cookie: `luna_language=${language}` } });
  return { status: answer.status, to: answer.headers.get('location'), text: await answer.text() };
}
const see = async (path: string) => (await app.request(path)).text();

describe('a device of the plan as a form', () => {
  const CONTROL = {
    way: 'modbus',
    writing: true,
    device: 'plc',
    register: 12,
    type: 'int32',
    W_per_unit: -10,
    safe_W: 0,
  };

  it.each(DEVICE_KINDS)('says all of a %s in either language: what is stored comes back as it was', (kind) => {
    const plain = PlanDeviceSchema.parse(parse(exampleDevice(kind)));
    for (const device of [plain, PlanDeviceSchema.parse({ ...plain, control: CONTROL })])
      for (const language of ['en', 'de'] as const) {
        const { device: again, errors } = readDevice(
          kind,
          device.id,
          deviceValues(device, uiOf(language)),
          uiOf(language),
        );
        expect(errors).toEqual({});
        expect(PlanDeviceSchema.parse(again)).toEqual(device);
      }
  });

  it.each(DEVICE_KINDS)('a new %s can be saved with what only its owner knows', async (kind) => {
    const known = { capacity_kWh: '50', charge_kW: '11,5', discharge_kW: '10', electric_kW: '4', store_kWh: '12' };
    const typed = { ...known, heat_loss_W_per_K: '250', power_kW: '3', window_0_energy_kWh: '9', soc_meter: 'battery' };
    const fields = { ...newDeviceValues(kind, { language: 'en' }), ...typed, kind, name: 'Wärme & Kälte', act: 'save' };
    const { status, to } = await send('/plan/devices/new', fields);
    expect([status, to]).toEqual([303, '/plan#devices']);
    expect(saved.device).toEqual([expect.objectContaining({ kind, id: 'waerme-kaelte', name: 'Wärme & Kälte' })]);
  });

  it('keeps what was typed, and says beside each field what is wrong with it, in the reader’s language', async () => {
    const { status, text } = await send(
      '/plan/devices/new',
      {
        ...{ kind: 'battery', name: '<b>Keller', capacity_kWh: 'viel', charge_kW: '0', discharge_kW: '', act: 'save' },
        ...{ reserve_percent: '90', max_percent: '80', charge_efficiency_percent: '95', soc_meter: '' },
        ...{
          discharge_efficiency_percent: '95',
          degradation_per_kWh: '0',
          way: 'modbus',
          safe_kW: '0',
          W_per_unit: '0',
        },
      },
      'de',
    );
    expect(status).toBe(400);
    expect(saved.device).toEqual([]);
    expect(text).toContain('value="&lt;b&gt;Keller"');
    expect(text).toContain('value="viel"');
    const wrong = (field: string) => new RegExp(`id="${field}-error">.*?</svg>([^<]*)<`).exec(text)?.[1];
    expect(wrong('capacity_kWh')).toBe('Bitte eine Zahl angeben.');
    expect(wrong('charge_kW')).toBe('Bitte eine Zahl von 0,001 bis 100.000 angeben.');
    expect(wrong('discharge_kW')).toBeTruthy();
    expect(wrong('reserve_percent')).toContain('Reserve');
    expect(wrong('soc_meter')).toBeTruthy();
    expect(wrong('modbus_device')).toBeTruthy();
    expect(wrong('W_per_unit')).toContain('0');
  });

  it('a car needs a day and times; another row is added without losing anything', async () => {
    const fields = {
      ...newDeviceValues('vehicle', { language: 'en' }),
      kind: 'vehicle',
      name: 'Van',
      capacity_kWh: '60',
    };
    const more = await send('/plan/devices/new', { ...fields, act: 'more' });
    expect(more.text).toContain('name="stay_1_arrive"');
    expect(more.text).toContain('value="Van"');
    const days = Object.fromEntries([1, 2, 3, 4, 5].map((day) => [`stay_0_d${day}`, 'no']));
    const none = await send('/plan/devices/new', { ...fields, ...days, act: 'save' });
    expect([none.status, none.text.includes('Please tick at least one day.')]).toEqual([400, true]);
    const late = await send('/plan/devices/new', { ...fields, stay_0_arrive: '25:00', act: 'save' });
    expect(late.text).toContain('id="stay_0_arrive-error"');
    const weekend = { stay_1_d6: 'yes', stay_1_arrive: '10:00', stay_1_depart: '12:00', stay_1_goal_percent: '50' };
    await send('/plan/devices/new', { ...fields, ...weekend, rows: '2', act: 'save' });
    expect(saved.device).toMatchObject([
      { stays: [{ weekdays: [1, 2, 3, 4, 5] }, { weekdays: [6], goal_percent: 50 }] },
    ]);
  });

  it('shows what the service refuses, and stays editable as text', async () => {
    const stored = PlanDeviceSchema.parse({ ...parse(exampleDevice('battery')), soc_meter: 'nobody' });
    const { status, text } = await send('/plan/devices/battery', {
      ...deviceValues(stored, { language: 'en' }),
      act: 'save',
    });
    expect([status, text.includes('There is no meter point &quot;nobody&quot;.')]).toEqual([400, true]);
    expect(await see('/plan/devices/battery?as=text')).toContain('capacity_kWh: 100');
    expect((await send('/plan/devices/new', { yaml: 'kind: [' })).status).toBe(400);
    expect((await send('/plan/devices/new', { yaml: exampleDevice('load') })).status).toBe(303);
    expect(saved.device).toMatchObject([{ kind: 'load', id: 'pump' }]);
  });

  it('gives each device an id of its own that can stand in an address', () => {
    expect(deviceId('Wallbox Süd', 'vehicle', [])).toBe('wallbox-sued');
    expect(deviceId('Wallbox Süd', 'vehicle', ['wallbox-sued'])).toBe('wallbox-sued-2');
    expect(deviceId('New', 'load', ['new'])).toBe('new-2');
    expect(deviceId('電池', 'battery', [])).toBe('battery');
    expect(deviceId('x'.repeat(200), 'load', [])).toMatch(/^[a-z0-9][a-z0-9-]{0,40}$/);
  });
});

describe('how plans are made', () => {
  it('comes back as it was stored, a quantile of one’s own included', () => {
    const settings = PlanSettingsSchema.parse({
      weigh: 0.85,
      import_limit_W: 63_500,
      curtailable: true,
      horizon_h: 96,
    });
    for (const language of ['en', 'de'] as const) {
      const { settings: again, errors } = settingsFrom(settingsValues(settings, uiOf(language)), uiOf(language));
      expect(errors).toEqual({});
      expect(PlanSettingsSchema.parse(again)).toEqual(settings);
    }
  });

  it('is saved from its page, and a fault is said beside its field', async () => {
    expect(await see('/plan/settings')).toContain('value="90"');
    const values = settingsValues(PlanSettingsSchema.parse({}), { language: 'en' });
    const wrong = await send('/plan/settings', { ...values, horizon_h: '5' });
    expect([wrong.status, wrong.text.includes('Please give a number from 6 to 720.')]).toEqual([400, true]);
    expect((await send('/plan/settings', { ...values, weigh: '0.9', export_limit_kW: '0' })).to).toBe(
      '/plan/settings?saved',
    );
    expect(saved.settings).toMatchObject([{ weigh: 0.9, export_limit_W: 0, import_limit_W: null, curtailable: false }]);
  });
});

describe('where signals of the grid operator come from', () => {
  it('comes back as it was stored', () => {
    const inputs = GridInputsSchema.parse({
      mqtt: { device: 'control-box' },
      modbus: { device: 'relay', function: 4, register: 7, mask: 5, active_low: true, limit_W: 4200 },
    });
    for (const one of [inputs, GridInputsSchema.parse({})]) {
      const { inputs: again, errors } = inputsFrom(inputValues(one, uiOf('de')), uiOf('de'));
      expect([errors, GridInputsSchema.parse(again)]).toEqual([{}, one]);
    }
  });

  it('is set on the page of signals, by admins', async () => {
    expect(await see('/plan/signals')).toContain('Where signals come from');
    const wrong = await send('/plan/signals/inputs', { modbus_on: 'yes', bit: '1', register: '70000', limit_kW: '0' });
    expect(wrong.status).toBe(400);
    expect(wrong.text).toContain('id="modbus_device-error"');
    expect(wrong.text).toContain('Please give a number from 0 to 65,535.');
    const typed = {
      modbus_on: 'yes',
      modbus_device: 'meter-1',
      register: '3',
      bit: '2',
      active: 'low',
      limit_kW: '4,2',
    };
    expect((await send('/plan/signals/inputs', typed)).to).toBe('/plan/signals?saved#inputs');
    expect(saved.inputs).toEqual([
      {
        mqtt: null,
        modbus: { device: 'meter-1', register: 3, mask: 2, function: 3, active_low: true, limit_W: 4200 },
      },
    ]);
  });
});
