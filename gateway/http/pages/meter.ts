/** `GET /meters/:id`: one meter point with its chart, totals, quality and connection. */
import { NotFoundError } from '../../../engine/errors.ts';
import { quantityInfo, slotQuantity } from '../../../engine/model/quantity.ts';
import type { Connection, MeterPoint } from '../../../engine/model/site.ts';
import { HOUR_MS, localDate } from '../../../engine/model/time.ts';
import {
  type MeterDevice,
  type MeterView,
  meterPage,
  meterRegions,
  type QuantityChoice,
} from '../../../web/pages/meter.ts';
import type { MeterRow } from '../../../web/pages/meters.ts';
import type { Ui } from '../../../web/ui.ts';
import type { Actor, Services } from '../../services.ts';
import type { LiveView } from '../stream.ts';
import { faultText } from './fault-text.ts';
import { meterSpans, meterTotals } from './meter-totals.ts';
import { createDayCells, meterValue, rowOf } from './meter-values.ts';
import { createPageApp, type PageDeps, readerOf, sendError, sendPage, signedIn, uiOf } from './page.ts';

export function createMeterPage(deps: PageDeps) {
  const { services } = deps;
  const dayCells = createDayCells(services);
  const app = createPageApp();
  app.get('/meters/:id', signedIn(deps), async (c) => {
    const ui = uiOf(deps, c);
    const actor = readerOf(c);
    const point = services.meters.get(actor.tenant, c.req.param('id'));
    if (!point) return sendError(deps, c, new NotFoundError('There is no such meter point.'));
    const live = await liveParts(services, actor, point, ui, dayCells);
    return sendPage(c, meterPage(await gatherMeter(services, actor, point, ui, live, c.req.query('quantity')), ui));
  });
  const live: LiveView = {
    fast: async (actor, ui, query) => {
      const point = services.meters.get(actor.tenant, query.get('id') ?? '');
      if (!point) return {};
      const parts = await liveParts(services, actor, point, ui, dayCells);
      return meterRegions({ ...NOTHING, ...parts }, ui);
    },
  };
  return { app, live };
}

const NOTHING: Omit<MeterView, 'row' | 'others'> = {
  quantities: [],
  quantity: { name: 'power_W', unit: 'W', kind: 'gauge' },
  from_ms: 0,
  to_ms: 0,
  totals: [],
  report: null,
  spans: [],
  device: null,
  formula: null,
};

/** What comes from memory. */
async function liveParts(
  services: Services,
  { tenant }: Actor,
  point: MeterPoint,
  ui: Ui,
  dayCells: ReturnType<typeof createDayCells>,
): Promise<Pick<MeterView, 'row' | 'others'>> {
  const row: MeterRow = {
    ...rowOf(services, tenant, point, ui),
    recent: [],
    cells: point.virtual ? [] : await dayCells(tenant, point.id, ui),
  };
  const others = [...services.live.of(tenant, point.id)]
    .filter(([quantity]) => quantity !== row.value?.quantity)
    .map(([quantity, live]) => meterValue(quantity, live.value));
  return { row, others };
}

async function gatherMeter(
  services: Services,
  { tenant }: Actor,
  point: MeterPoint,
  ui: Ui,
  live: Pick<MeterView, 'row' | 'others'>,
  asked: string | undefined,
): Promise<MeterView> {
  const quantities = quantitiesOf(services, tenant, point);
  const quantity = quantities.find((each) => each.name === asked) ?? quantities[0]!;
  const day = localDate(ui.now_ms, ui.time_zone);
  const orEmpty = <T, E>(work: Promise<T>, empty: E): Promise<T | E> =>
    work.catch((error: unknown) => {
      services.log.warn({ err: error, meter: point.id }, 'a part of the page of a meter could not be gathered');
      return empty;
    });
  const registers = quantities.filter((each) => each.kind === 'register').map((each) => each.name);
  const [totals, report, spans] = await Promise.all([
    orEmpty(meterTotals(services, tenant, point, registers, ui), null),
    point.virtual ? null : orEmpty(services.quality.report(tenant, point.id, day), 'unavailable' as const),
    point.virtual ? [] : orEmpty(meterSpans(services, tenant, point, registers, ui), []),
  ]);
  return {
    ...live,
    quantities,
    quantity,
    from_ms: ui.now_ms - 24 * HOUR_MS,
    to_ms: ui.now_ms,
    totals,
    report: inLanguage(report, ui),
    spans,
    device: deviceOf(services, tenant, point, ui),
    formula: formulaOf(services, tenant, point),
  };
}

/** What can be shown: what arrived, what the profile names, and power as the last resort. */
function quantitiesOf(services: Services, tenant: string, point: MeterPoint): QuantityChoice[] {
  const device = point.device === null ? null : services.devices.get(tenant, point.device);
  const profile = device?.profile ? services.profiles.get(device.profile) : null;
  const channel = profile?.channels.find((each) => each.name === point.channel);
  const arrived = [...services.live.of(tenant, point.id).keys()];
  const first = arrived.includes('power_W') || arrived.length === 0 ? ['power_W'] : [];
  const energy = arrived.includes('power_W') || point.virtual ? energyOf(point) : [];
  const names = new Set([...first, ...arrived, ...(channel?.quantities ?? []), ...energy].map(slotQuantity));
  return [...names].flatMap((name) => {
    const info = quantityInfo(name);
    return info ? { name, unit: info.unit, kind: info.kind } : [];
  });
}

/** Registers that exist for a role even where only power is measured: they are computed from it. */
export function energyOf(point: MeterPoint): string[] {
  if (point.role === 'generation') return ['export_kWh'];
  return point.role === 'grid' || point.role === 'battery' ? ['import_kWh', 'export_kWh'] : ['import_kWh'];
}

function deviceOf(services: Services, tenant: string, point: MeterPoint, ui: Ui): MeterDevice | null {
  const device = point.device === null ? null : services.devices.get(tenant, point.device);
  if (!device) return null;
  const state = services.devices.state(tenant, device.id);
  const profile = device.profile ? services.profiles.get(device.profile) : null;
  return {
    id: device.id,
    name: device.name,
    way: wayOf(device.connection, ui),
    profile: profile ? `${profile.vendor} ${profile.model}` : device.profile,
    firmware: device.firmware,
    enabled: device.enabled,
    connected: state.connected,
    last_seen_ms: state.last_seen_ms,
    last_error: state.last_error && { at_ms: state.last_error.at_ms, text: faultText(state.last_error, ui) },
  };
}

/** How a device is reached, in words. */
export function wayOf(connection: Connection, { t, format }: Ui): string {
  switch (connection.kind) {
    case 'mqtt':
      return t('meter.way_mqtt');
    case 'push':
      return t('meter.way_push');
    case 'http':
      return t('meter.way_http', { address: connection.url, every: format.duration(connection.poll_s * 1000) });
    case 'modbus-tcp':
      return t('meter.way_modbus_tcp', {
        address: `${connection.host}:${connection.port}`,
        unit: connection.unit,
        every: format.duration(connection.poll_s * 1000),
      });
    case 'modbus-rtu':
      return t('meter.way_modbus_rtu', {
        address: connection.path,
        unit: connection.unit,
        every: format.duration(connection.poll_s * 1000),
      });
  }
}

/** `Grid connection − Hall 1 − Ventilation`. */
function formulaOf(services: Services, tenant: string, point: MeterPoint): string | null {
  if (!point.virtual) return null;
  return point.virtual
    .map(({ meter, factor }, i) => {
      const sign = factor < 0 ? '− ' : i === 0 ? '' : '+ ';
      const times = Math.abs(factor) === 1 ? '' : `${Math.abs(factor)} × `;
      return `${sign}${times}${services.meters.get(tenant, meter)?.name ?? meter}`;
    })
    .join(' ');
}

type Report = Awaited<ReturnType<Services['quality']['report']>> | 'unavailable';

function inLanguage(report: Report, ui: Ui): MeterView['report'] {
  if (report === null || report === 'unavailable') return report;
  const checks = report.checks.map((check) => ({
    ...check,
    text: (ui.language === 'de' ? check.text_de : undefined) ?? check.text,
  }));
  return { state: report.state, checks };
}
