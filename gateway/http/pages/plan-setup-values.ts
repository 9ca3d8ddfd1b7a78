/** Between the forms of `/plan/settings` and `/plan/signals` and what they set. */
import type { PlanSettings } from '../../../engine/dispatch/plan-devices.ts';
import type { FormState } from '../../../web/components/controls.ts';
import { SOFT_PRICES } from '../../../web/pages/plan-settings.ts';
import type { Ui } from '../../../web/ui.ts';
import type { GridInputs } from '../../services/grid-signals.ts';
import { readNumber, written } from './plan-device-values.ts';

type Values = Readonly<Record<string, string>>;
type Asking = Pick<Ui, 't' | 'format'>;

export function settingsValues(settings: PlanSettings, ui: Pick<Ui, 'language'>): Record<string, string> {
  const { horizon_h, weigh, curtailable, import_limit_W, export_limit_W, soft } = settings;
  const kW = (power_W: number | null) => (power_W === null ? '' : written(power_W / 1000, ui));
  return {
    ...{ horizon_h: String(horizon_h), weigh: String(weigh), curtailable: curtailable ? 'yes' : '' },
    ...{ import_limit_kW: kW(import_limit_W), export_limit_kW: kW(export_limit_W) },
    ...Object.fromEntries(SOFT_PRICES.map((name) => [`soft_${name}`, written(soft[`${name}_per_kWh`], ui)])),
  };
}

export function settingsFrom(values: Values, ui: Asking): { settings: unknown; errors: FormState['errors'] } {
  const errors: Record<string, string> = {};
  const read = (name: string, least: number, most: number, more: { factor?: number; optional?: true } = {}) =>
    readNumber({ name, factor: 1, least, most, ...more }, values, errors, ui);
  const horizon_h = read('horizon_h', 6, 720);
  if (horizon_h !== null && !Number.isInteger(horizon_h)) errors.horizon_h = ui.t('plan.fault.whole');
  const soft = SOFT_PRICES.map((name) => [`${name}_per_kWh`, read(`soft_${name}`, 0, 10_000)] as const);
  const settings = {
    ...{ horizon_h, weigh: values.weigh === 'expected' ? 'expected' : Number(values.weigh) },
    curtailable: values.curtailable === 'yes',
    import_limit_W: read('import_limit_kW', 0, 1_000_000, { factor: 1000, optional: true }),
    export_limit_W: read('export_limit_kW', 0, 1_000_000, { factor: 1000, optional: true }),
    soft: Object.fromEntries(soft),
  };
  return { settings, errors };
}

export function inputValues({ mqtt, modbus }: GridInputs, ui: Pick<Ui, 'language'>): Record<string, string> {
  const values: Record<string, string> = { bit: '1', function: '3', active: 'high', limit_kW: '0', register: '0' };
  if (mqtt) Object.assign(values, { mqtt_on: 'yes', mqtt_device: mqtt.device });
  if (modbus)
    Object.assign(values, {
      ...{ modbus_on: 'yes', modbus_device: modbus.device, register: String(modbus.register) },
      ...{ function: String(modbus.function), bit: String(modbus.mask), active: modbus.active_low ? 'low' : 'high' },
      limit_kW: written(modbus.limit_W / 1000, ui),
    });
  return values;
}

export function inputsFrom(values: Values, ui: Asking): { inputs: unknown; errors: FormState['errors'] } {
  const errors: Record<string, string> = {};
  const needed = (name: string) => {
    if (!values[name]) errors[name] = ui.t('setup.fault_needed');
    return values[name] ?? '';
  };
  const read = (name: string, most: number, factor = 1) =>
    readNumber({ name, factor, least: 0, most }, values, errors, ui);
  const modbus = () => ({
    ...{ device: needed('modbus_device'), register: read('register', 65_535), mask: Number(values.bit) },
    ...{ function: values.function === '4' ? 4 : 3, active_low: values.active === 'low' },
    limit_W: read('limit_kW', 100_000, 1000),
  });
  const inputs = {
    mqtt: values.mqtt_on === 'yes' ? { device: needed('mqtt_device') } : null,
    modbus: values.modbus_on === 'yes' ? modbus() : null,
  };
  return { inputs, errors };
}
