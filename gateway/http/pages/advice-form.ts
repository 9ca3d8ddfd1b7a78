/** The form of the advice settings: what stands in it, and what was typed. */
import type { AdviceForm } from '../../../web/pages/advice-settings.ts';
import type { Ui } from '../../../web/ui.ts';
import type { AdviceSettings } from '../../services/advice.ts';

const TIME = /^([01]?\d|2[0-3]):([0-5]\d)$/;
const MOST_A_DAY = 50;

export function adviceFormOf({ per_day, quiet, demand_charge_per_kW }: AdviceSettings, saved: boolean): AdviceForm {
  const values = {
    per_day: String(per_day),
    quiet_from: quiet ? timeOf(quiet.from_min) : '',
    quiet_to: quiet ? timeOf(quiet.to_min) : '',
    demand_charge: demand_charge_per_kW === null ? '' : String(demand_charge_per_kW),
  };
  return { values, errors: {}, saved };
}

/** `settings` is null where something is wrong; `form` says what, and keeps what was typed. */
export function readAdviceForm(
  body: Record<string, unknown>,
  { t }: Ui,
): { settings: AdviceSettings | null; form: AdviceForm } {
  const typed = (name: string) => (typeof body[name] === 'string' ? body[name].trim() : '');
  const values = Object.fromEntries(['per_day', 'quiet_from', 'quiet_to', 'demand_charge'].map((n) => [n, typed(n)]));
  const errors: Record<string, string> = {};
  const per_day = Number(typed('per_day'));
  if (!/^\d+$/.test(typed('per_day')) || per_day > MOST_A_DAY) errors.per_day = t('advice.bad_number');
  const [from_min, to_min] = [minuteOf(typed('quiet_from')), minuteOf(typed('quiet_to'))];
  const none = typed('quiet_from') === '' && typed('quiet_to') === '';
  if (!none && from_min === null) errors.quiet_from = t('advice.bad_time');
  if (!none && to_min === null) errors.quiet_to = t('advice.bad_time');
  const charge = typed('demand_charge').replace(',', '.');
  const price = charge === '' ? null : Number(charge);
  if (price !== null && !(price >= 0 && price < 1e6)) errors.demand_charge = t('advice.bad_price');
  const quiet = from_min === null || to_min === null ? null : { from_min, to_min };
  const settings = { per_day, quiet, demand_charge_per_kW: price };
  return {
    settings: Object.keys(errors).length > 0 ? null : settings,
    form: { values, errors, saved: false },
  };
}

function minuteOf(text: string): number | null {
  const match = TIME.exec(text);
  return match ? Number(match[1]) * 60 + Number(match[2]) : null;
}

function timeOf(minute: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}
