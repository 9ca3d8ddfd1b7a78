/** `/meters/:id/repair`: values that a person sets over readings, with a reason for the audit log. For analysts and admins. */
import type { Context } from 'hono';
import { NotFoundError } from '../../../engine/errors.ts';
import { EXCLUDED, type QualityFlags, qualityText } from '../../../engine/model/quality.ts';
import { quantityInfo } from '../../../engine/model/quantity.ts';
import type { MeterPoint } from '../../../engine/model/site.ts';
import { addDays, instantOf, localDate } from '../../../engine/model/time.ts';
import { type RepairRow, type RepairView, repairPage } from '../../../web/pages/repair.ts';
import { applyRepairs } from '../../services/repairs.ts';
import type { Env } from '../api.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendPage, signedIn, uiOf } from './page.ts';

const SHOWN = 300;
const ACTS = ['set', 'missing', 'lift'] as const;
type Asked = { quantity?: string; day?: string };
type Said = Partial<Pick<RepairView, 'values' | 'chosen' | 'problem' | 'done'>>;

export function createRepairPages(deps: PageDeps) {
  const { series, meters, live } = deps.services;
  const app = createPageApp();
  const analyst = signedIn(deps, 'analyst');

  app.get('/meters/:id/repair', analyst, async (c) => show(c, pointOf(c), c.req.query()));
  app.post('/meters/:id/repair', analyst, csrfChecked(deps), async (c) => {
    const point = pointOf(c);
    const form = await c.req.parseBody({ all: true });
    const text = (name: string) => (typeof form[name] === 'string' ? form[name].trim() : '');
    const asked = { quantity: text('quantity'), day: text('day') };
    const chosen = [form.at ?? []].flat().map(Number).filter(Number.isFinite);
    const act = ACTS.find((one) => one === text('act'));
    const number = Number(text('value').replace(',', '.'));
    const problem =
      chosen.length === 0
        ? 'repair.fault_none'
        : act === 'set' && (text('value') === '' || !Number.isFinite(number))
          ? 'repair.fault_value'
          : text('reason') === ''
            ? 'repair.fault_reason'
            : null;
    if (problem || !act)
      return show(c, point, asked, { problem, chosen, values: { value: text('value'), reason: text('reason') } });
    const value = act === 'set' ? number : act === 'missing' ? null : undefined;
    const repairs = chosen.map((at_ms) => ({ meter: point.id, quantity: asked.quantity, at_ms, value }));
    await applyRepairs(deps.services, readerOf(c), text('reason'), repairs);
    return show(c, point, asked, { done: chosen.length });
  });
  return app;

  function pointOf(c: Context<Env>): MeterPoint {
    const point = meters.get(readerOf(c).tenant, c.req.param('id') ?? '');
    if (!point || point.virtual) throw new NotFoundError('There is no such measured meter point.');
    return point;
  }

  async function show(c: Context<Env>, point: MeterPoint, asked: Asked, said: Said = {}): Promise<Response> {
    const ui = uiOf(deps, c);
    const quantities = [...live.of(point.tenant, point.id).keys()].sort();
    const quantity = asked.quantity && quantityInfo(asked.quantity) ? asked.quantity : (quantities[0] ?? 'power_W');
    const day = /^\d{4}-\d{2}-\d{2}$/.test(asked.day ?? '') ? asked.day! : localDate(ui.now_ms, ui.time_zone);
    const rows = await readingsOf(point, quantity, day, ui.time_zone);
    const view: RepairView = {
      ...{ meter: { id: point.id, name: point.name }, quantity, day, unit: quantityInfo(quantity)!.unit },
      quantities: quantities.includes(quantity) ? quantities : [quantity, ...quantities],
      rows: rows.slice(0, SHOWN),
      total: rows.length,
      ...{ values: {}, chosen: [], problem: null, done: null },
      ...said,
    };
    return sendPage(c, repairPage(view, ui), said.problem ? 400 : 200);
  }

  /** The readings of a local day, marked ones first. */
  async function readingsOf(point: MeterPoint, quantity: string, day: string, tz: string): Promise<RepairRow[]> {
    const [year, month, date] = day.split('-').map(Number) as [number, number, number];
    const from_ms = instantOf(tz, year, month, date);
    const to_ms = addDays(from_ms, 1, tz);
    const { at_ms, values, quality } = await series.readings.read(point.tenant, {
      meter: point.id,
      quantity,
      from_ms,
      to_ms,
    });
    const rows = Array.from(at_ms, (at, i) => ({
      at_ms: at,
      value: Number.isNaN(values[i]!) ? null : values[i]!,
      flags: quality[i]!,
    }));
    const weight = (flags: QualityFlags) => (flags & EXCLUDED ? 2 : flags ? 1 : 0);
    rows.sort((a, b) => weight(b.flags) - weight(a.flags) || a.at_ms - b.at_ms);
    return rows.map(({ flags, ...row }) => ({ ...row, marks: flags === 0 ? [] : qualityText(flags).split('+') }));
  }
}
