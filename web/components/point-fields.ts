/** The fields of a meter point: role, and what it is a part of. */
import { html } from 'hono/html';
import type { MeterRole } from '../../engine/model/site.ts';
import type { Html, Ui } from '../ui.ts';
import { type FormState, type Option, selectControl } from './controls.ts';

export const METER_ROLES: readonly MeterRole[] = ['grid', 'generation', 'battery', 'load', 'sub-meter'];
export type PointChoice = { id: string; name: string };

/** `suffix` tells the fields of several meter points of one form apart. */
export function pointFields(
  form: FormState,
  input: { suffix: string; role: MeterRole; parent: string | null; others: readonly PointChoice[] },
  ui: Ui,
): Html {
  const { t } = ui;
  const roles: Option[] = METER_ROLES.map((role) => [role, t(`role.${role}`)]);
  const parents: Option[] = [['', t('add.parent_none')], ...input.others.map(({ id, name }) => [id, name] as const)];
  return html`${selectControl(form, { id: `role${input.suffix}`, label: t('add.role'), value: input.role, options: roles, hint: t('add.role_hint') })}
${selectControl(form, { id: `parent${input.suffix}`, label: t('add.parent'), value: input.parent ?? '', options: parents })}`;
}
