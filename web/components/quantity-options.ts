/** Every quantity as a choice in a form, grouped by kind. */
import { html } from 'hono/html';
import type { QuantityKind } from '../../engine/model/quantity.ts';
import type { Html, Ui } from '../ui.ts';
import { quantityName } from './quantity.ts';

const GROUPS = [
  ['register', 'import.group_registers'],
  ['interval', 'import.group_intervals'],
  ['gauge', 'import.group_gauges'],
] as const;

export type QuantityChoice = { name: string; kind: QuantityKind; unit: string };

/** `<optgroup>`s whose values are `prefix` and the quantity. */
export function quantityOptions(quantities: readonly QuantityChoice[], prefix: string, chosen: string, ui: Ui): Html {
  return html`${GROUPS.map(
    ([kind, title]) =>
      html`<optgroup label="${ui.t(title)}">${quantities
        .filter((each) => each.kind === kind)
        .map(({ name, unit }) => {
          const value = `${prefix}${name}`;
          return html`<option value="${value}" ${value === chosen ? html`selected` : ''}>${nameOf(name, kind, ui)} (${unit})</option>`;
        })}</optgroup>`,
  )}`;
}

function nameOf(name: string, kind: QuantityKind, ui: Ui): string {
  if (kind !== 'interval') return quantityName(ui, name);
  return ui.t('import.interval_of', { quantity: quantityName(ui, name.replace('_interval_', '_')) });
}
