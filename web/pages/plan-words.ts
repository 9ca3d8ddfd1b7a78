/** What a plan means, in sentences: reasons of slots, limits that gave way, what was taken for granted. */
import type { SlotReason } from '../../engine/dispatch/plan-report.ts';
import type { GaveWay } from '../../engine/dispatch/site.ts';
import type { Ui } from '../ui.ts';
import type { PlanShown } from './plan.ts';

type Device = PlanShown['devices'][number];

/** Why a device does in a slot what it does. */
export function reasonSentence(device: Device, t: number, ui: Ui): string {
  const reason: SlotReason | undefined = device.reasons[t];
  if (!reason) return '';
  const power = ui.format.power(Math.abs(device.power_W[t] ?? 0));
  const at = reason.at_ms === null ? '' : ui.format.when(reason.at_ms, ui.now_ms);
  if ((reason.code === 'holds-for-later' || reason.code === 'waits-for-cheaper') && at === '')
    return ui.t('plan.reason.holds', { device: device.name });
  return ui.t(`plan.reason.${reason.code}`, { device: device.name, power, at });
}

/** Which limit gave way, by how much and when. */
export function limitSentence(gave_way: GaveWay, devices: readonly Device[], ui: Ui): string {
  const { format } = ui;
  const device = devices.find(({ id }) => id === gave_way.id)?.name ?? gave_way.id;
  const when = ui.t('common.time_range', {
    from: format.when(gave_way.from_ms, ui.now_ms),
    to: format.when(gave_way.to_ms, ui.now_ms),
  });
  return ui.t(`plan.limit.${gave_way.limit}`, {
    ...{ device, when, power: format.power(gave_way.power_W), energy: format.energy(gave_way.energy_kWh) },
  });
}

export function assumptionSentence(assumption: PlanShown['assumptions'][number], ui: Ui): string {
  switch (assumption.code) {
    case 'price-forecast':
      return ui.t('plan.assume.price-forecast', { at: ui.format.when(assumption.from_ms, ui.now_ms) });
    case 'shorter-horizon':
      return ui.t('plan.assume.shorter-horizon', { hours: ui.format.number(assumption.hours) });
    case 'peak-gaps':
      return ui.t('plan.assume.peak-gaps', { slots: ui.format.number(assumption.slots) });
    case 'nowcast':
      return ui.t('plan.assume.nowcast', { power: ui.format.power(assumption.power_W) });
    default:
      return ui.t(`plan.assume.${assumption.code}`, { device: assumption.device });
  }
}
