/** The value a meter point is known by, its parts in words, and the cells of its day. */
import { EXCLUDED } from '../../../engine/model/quality.ts';
import { quantityInfo } from '../../../engine/model/quantity.ts';
import type { MeterPoint } from '../../../engine/model/site.ts';
import { dayStart, SLOT_MS, slotStart } from '../../../engine/model/time.ts';
import type { Cell } from '../../../web/charts/spark.ts';
import type { MeterRow, MeterValue } from '../../../web/pages/meters.ts';
import type { Ui } from '../../../web/ui.ts';
import type { Services } from '../../services.ts';
import { meterHealth } from './data-state.ts';

/** What stands for a meter point, first found first. */
const HEADLINES = ['power_W', 'heat_kWh', 'gas_m3', 'water_m3', 'import_kWh', 'export_kWh', 'temperature_C'];

/** What is known of a meter point without the series store: all of its row but the marks of time. */
export function rowOf(
  services: Services,
  tenant: string,
  point: MeterPoint,
  ui: Ui,
): Omit<MeterRow, 'recent' | 'cells'> {
  const { state, text, last_ms } = meterHealth(services, tenant, point, ui);
  const { id, name, role } = point;
  const note = noteOf(services, tenant, point, ui);
  return { id, name, role, state, text, note, value: headline(services, tenant, point), last_ms };
}

/** The newest value that stands for the meter point; a virtual one is summed from its parts' power. */
function headline(services: Services, tenant: string, point: MeterPoint): MeterRow['value'] {
  if (point.virtual) return virtualPower(services, tenant, point);
  const values = services.live.of(tenant, point.id);
  const quantity = HEADLINES.find((name) => values.has(name)) ?? [...values.keys()][0];
  const found = quantity === undefined ? undefined : values.get(quantity);
  if (quantity === undefined || !found) return null;
  return meterValue(quantity, found.value);
}

/** A value with what is known of its quantity. */
export function meterValue(quantity: string, value: number): MeterValue {
  const info = quantityInfo(quantity);
  return { quantity, value, unit: info?.unit ?? '', register: info?.kind === 'register' };
}

function virtualPower(services: Services, tenant: string, point: MeterPoint): MeterRow['value'] {
  let sum = 0;
  for (const { meter, factor } of point.virtual ?? []) {
    const value = services.live.of(tenant, meter).get('power_W');
    if (!value) return null;
    sum += factor * value.value;
  }
  return meterValue('power_W', sum);
}

/** `part of Grid connection`, or that it is computed; null for a meter of its own. */
function noteOf(services: Services, tenant: string, point: MeterPoint, ui: Ui): string | null {
  if (point.virtual) return ui.t('meters.virtual');
  const parent = point.parent === null ? null : services.meters.get(tenant, point.parent);
  return parent ? ui.t('meters.part_of', { name: parent.name }) : null;
}

/** Quality flags of the day's slots (−1: no data) as cells; the running slot and later ones are still to come. */
export function cellsOf(flags: Int32Array, now_ms: number, time_zone: string): Cell[] {
  const start_ms = dayStart(now_ms, time_zone);
  const current = (slotStart(now_ms) - start_ms) / SLOT_MS;
  return Array.from(flags, (flag, i): Cell => {
    if (i >= current) return 'to-come';
    if (flag < 0) return 'missing';
    if (flag & EXCLUDED) return 'left-out';
    return flag === 0 ? 'good' : 'marked';
  });
}

/** The cells of today of every meter point, asked at most once a minute. */
export function createDayCells(services: Services) {
  const kept = new Map<string, { minute: number; cells: Promise<Int32Array> }>();
  return async (tenant: string, meter: string, ui: Ui): Promise<Cell[]> => {
    const key = `${tenant}\n${meter}`;
    const minute = Math.floor(ui.now_ms / 60_000);
    let found = kept.get(key);
    if (found?.minute !== minute) {
      const cells = services.quality.today(tenant, meter).then(
        (today) => today.cells,
        () => new Int32Array(),
      );
      found = { minute, cells };
      if (kept.size > 5_000) kept.clear();
      kept.set(key, found);
    }
    return cellsOf(await found.cells, ui.now_ms, ui.time_zone);
  };
}
