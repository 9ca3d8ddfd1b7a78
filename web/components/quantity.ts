/** What quantities and quality marks are called, and the tone a meter point is drawn in. */
import type { MeterRole } from '../../engine/model/site.ts';
import type { Tone } from '../charts/time-chart.ts';
import type { TextKey } from '../i18n/text.ts';
import type { Ui } from '../ui.ts';

/** Tables of texts are asked by name only where the name comes from data. */
function hasText(ui: Ui, key: string): key is TextKey {
  return ui.has(key);
}

/** `power_W` → `Power`, `voltage_l2_V` → `Voltage, phase 2`; an unknown name as it is. */
export function quantityName(ui: Ui, quantity: string): string {
  const phase = /^(.+)_l([123])_([A-Za-z]+)$/.exec(quantity);
  if (phase) {
    const name = quantityName(ui, `${phase[1]}_${phase[3]}`);
    return ui.t('quantity.phase', { name, phase: phase[2]! });
  }
  const key = `quantity.${quantity}`;
  return hasText(ui, key) ? plain(ui, key) : quantity;
}

const MARKS = [
  'estimated',
  'repaired',
  'spike',
  'reset',
  'rollover',
  'changed',
  'partial',
  'out_of_range',
  'stuck',
  'from_power',
  'clock',
  'dip',
  'jump',
  'unit',
  'mixed',
  'late',
  'gap',
] as const;

/** The words of every quality mark by its name, for the browser. */
export function markWords(ui: Ui): Record<string, string> {
  return Object.fromEntries(MARKS.map((mark) => [mark, ui.t(`quality.${mark}`)]));
}

/** Words of a text without parameters whose key comes from data. */
function plain(ui: Ui, key: TextKey): string {
  return (ui.t as (key: TextKey) => string)(key);
}

/** The tone of a meter point's values; for the grid, export has its own. */
export function toneOf(role: MeterRole, quantity: string): Tone {
  if (role === 'grid') return quantity.startsWith('export') ? 'export' : 'import';
  return role === 'sub-meter' ? 'load' : role;
}
