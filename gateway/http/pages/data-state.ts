/** Which meters are silent or failing, in words; shared by Now and Meters. */
import type { MeterPoint } from '../../../engine/model/site.ts';
import { SLOT_MS } from '../../../engine/model/time.ts';
import type { Forecast } from '../../../engine/ports.ts';
import type { DataState, SilentMeter } from '../../../web/pages/now.ts';
import type { Ui } from '../../../web/ui.ts';
import type { Services } from '../../services.ts';
import { faultText } from './fault-text.ts';

/** Silent for longer than this is a warning, and for longer than the second a fault. */
const WARN_MS = 15 * 60_000;
const FAULT_MS = 60 * 60_000;

export type MeterHealth = { state: 'ok' | 'warning' | 'fault' | 'unknown'; text: string; last_ms: number | null };

/** How a meter point fares: its device's last error, silence, or a value and its age. Virtual ones follow their parts. */
export function meterHealth(services: Services, tenant: string, point: MeterPoint, ui: Ui): MeterHealth {
  const { t, format, now_ms } = ui;
  if (point.virtual) return virtualHealth(services, tenant, point, ui);
  const last_ms = services.live.last_ms(tenant, point.id);
  const state = point.device ? services.devices.state(tenant, point.device) : null;
  const error = state?.last_error;
  const silent_ms = last_ms === null ? null : now_ms - last_ms;
  if (error && (last_ms === null || error.at_ms > last_ms) && (silent_ms === null || silent_ms > WARN_MS / 5))
    return {
      state: 'fault',
      text: t('meters.failing', { since: format.when(error.at_ms, now_ms), text: faultText(error, ui) }),
      last_ms,
    };
  if (last_ms === null) return { state: 'unknown', text: t('meters.never'), last_ms };
  if (now_ms - last_ms <= WARN_MS) return { state: 'ok', text: t('meters.ok'), last_ms };
  const text = t('meters.silent', { since: format.when(last_ms, now_ms) });
  return { state: now_ms - last_ms > FAULT_MS ? 'fault' : 'warning', text, last_ms };
}

function virtualHealth(services: Services, tenant: string, point: MeterPoint, ui: Ui): MeterHealth {
  const parts = (point.virtual ?? []).map(({ meter }) => services.meters.get(tenant, meter));
  const last = parts.map((part) => (part && !part.virtual ? services.live.last_ms(tenant, part.id) : ui.now_ms));
  const oldest = last.some((at_ms) => at_ms === null) ? null : Math.min(...last.map((at_ms) => at_ms ?? 0));
  if (oldest !== null && ui.now_ms - oldest <= WARN_MS)
    return { state: 'ok', text: ui.t('meters.ok'), last_ms: oldest };
  return { state: 'warning', text: ui.t('meters.part_missing'), last_ms: oldest };
}

type PriceState = {
  columns: { at_ms: Float64Array; values: Float64Array };
  stale_since_ms: number | null;
  fetched_ms: number | null;
};

/** The card "State of the data" of Now: faults first. */
export function dataState(
  services: Services,
  tenant: string,
  ui: Ui,
  prices: PriceState | null,
  forecast: Forecast | null,
): DataState {
  const points = services.meters.list(tenant).filter((point) => point.virtual === null);
  const all = points.map((point) => ({ point, health: meterHealth(services, tenant, point, ui) }));
  const silent = all.flatMap(({ point, health }): SilentMeter[] =>
    health.state === 'ok'
      ? []
      : [{ id: point.id, name: point.name, state: health.state === 'fault' ? 'fault' : 'warning', text: health.text }],
  );
  silent.sort((a, b) => Number(b.state === 'fault') - Number(a.state === 'fault'));
  return {
    live: all.length - silent.length,
    total: all.length,
    silent,
    prices: priceState(services, tenant, prices),
    forecast: forecast ? { made_ms: forecast.made_at_ms, model: forecast.model } : null,
  };
}

function priceState(services: Services, tenant: string, prices: PriceState | null): DataState['prices'] {
  if (services.tariffs.area(tenant) === null) return { kind: 'fixed' };
  if (!prices) return { kind: 'none' };
  if (prices.stale_since_ms !== null) return { kind: 'stale', since_ms: prices.stale_since_ms };
  let last = prices.columns.values.length - 1;
  while (last >= 0 && Number.isNaN(prices.columns.values[last]!)) last--;
  if (last < 0) return { kind: 'none' };
  return { kind: 'fresh', until_ms: prices.columns.at_ms[last]! + SLOT_MS, fetched_ms: prices.fetched_ms };
}
