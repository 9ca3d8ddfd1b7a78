/** `/meters/:id/repair`: values that a person sets over a span of readings, before and after, and what was repaired so far. */
import type { Context } from 'hono';
import { InvalidDataError, NotFoundError, UnavailableError } from '../../../engine/errors.ts';
import { EXCLUDED, qualityText } from '../../../engine/model/quality.ts';
import { quantityInfo } from '../../../engine/model/quantity.ts';
import type { MeterPoint } from '../../../engine/model/site.ts';
import { addDays, dayStart, HOUR_MS, instantOf, localTime, SLOT_MS, slotStart } from '../../../engine/model/time.ts';
import { type RepairChoice, RepairFault } from '../../../engine/quality/repair.ts';
import { hasText } from '../../../web/i18n/text.ts';
import { type RepairRow, type RepairView, repairPage } from '../../../web/pages/repair.ts';
import type { Ui } from '../../../web/ui.ts';
import type { RepairAsked } from '../../services/repairs.ts';
import type { Env } from '../api.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendPage, signedIn, uiOf } from './page.ts';

const SHOWN = 100;
const ACTS_SHOWN = 20;
const LOOKED_AT = 50_000;
const KINDS = ['value', 'energy', 'interpolate', 'missing'] as const;
type Fields = Record<string, string>;
type Said = Partial<Pick<RepairView, 'fields' | 'problem' | 'done' | 'effect'>>;
const NOTHING = { at_ms: [] as number[], values: [] as number[], quality: [] as number[] };

export function createRepairPages(deps: PageDeps) {
  const { series, meters, live, repairs } = deps.services;
  const app = createPageApp();
  const analyst = signedIn(deps, 'analyst');

  app.get('/meters/:id/repair', analyst, async (c) => {
    const done = c.req.query('done');
    const said = done === 'undo' || done === 'redo' || /^\d{1,6}$/.test(done ?? '') ? { done: done! } : {};
    return show(c, pointOf(c), c.req.query(), said);
  });
  app.post('/meters/:id/repair', analyst, csrfChecked(deps), async (c) => {
    const point = pointOf(c);
    const fields = fieldsOf(await c.req.parseBody());
    const act = fields.act ?? '';
    try {
      if (act === 'undo' || act === 'redo') return await turn(c, point, act, fields);
      const asked = askedOf(point, fields, uiOf(deps, c));
      if (typeof asked === 'string') return await show(c, point, fields, { problem: asked, fields });
      if (act === 'apply' && !fields.reason)
        return await show(c, point, fields, {
          problem: 'reason',
          fields,
          effect: await repairs.preview(point.tenant, asked),
        });
      if (act !== 'apply')
        return await show(c, point, fields, { fields, effect: await repairs.preview(point.tenant, asked) });
      const { count } = await repairs.apply(readerOf(c), asked, fields.reason!);
      return c.redirect(addressOf(point, fields, String(count)), 303);
    } catch (error) {
      if (error instanceof RepairFault) return show(c, point, fields, { problem: error.code, fields });
      if (error instanceof UnavailableError) return show(c, point, fields, { problem: 'down', fields });
      if (error instanceof InvalidDataError) return show(c, point, fields, { problem: error.message, fields });
      throw error;
    }
  });
  return app;

  async function turn(c: Context<Env>, point: MeterPoint, act: 'undo' | 'redo', fields: Fields) {
    const { act: found } = await repairs.changes(point.tenant, fields.repair ?? '', 0);
    if (found.meter !== point.id) throw new NotFoundError('There is no such repair of this meter.');
    const reason = uiOf(deps, c).t(`repair.${act}_reason`);
    await repairs[act](readerOf(c), found.id, reason);
    return c.redirect(addressOf(point, { ...fields, quantity: found.quantity }, act), 303);
  }

  function pointOf(c: Context<Env>): MeterPoint {
    const point = meters.get(readerOf(c).tenant, c.req.param('id') ?? '');
    if (!point || point.virtual) throw new NotFoundError('There is no such measured meter point.');
    return point;
  }

  async function show(c: Context<Env>, point: MeterPoint, asked: Fields, said: Said = {}): Promise<Response> {
    const ui = uiOf(deps, c);
    const quantities = [...live.of(point.tenant, point.id).keys()].sort();
    const quantity = asked.quantity && quantityInfo(asked.quantity) ? asked.quantity : (quantities[0] ?? 'power_W');
    const { kind, unit } = quantityInfo(quantity)!;
    const end_ms = slotStart(ui.now_ms);
    const from_ms = instantIn(asked.from, ui.time_zone) ?? end_ms - HOUR_MS;
    const to_ms = Math.max(from_ms, instantIn(asked.to, ui.time_zone) ?? Math.max(from_ms, end_ms));
    const span = { from_ms, to_ms };
    const found = await around(point, quantity, span, ui).catch(down);
    const acts = await actsOf(point, asked.repair);
    const view: RepairView = {
      ...{ meter: { id: point.id, name: point.name }, quantity, unit, kind, span },
      ...{ from: fieldText(from_ms, ui.time_zone), to: fieldText(to_ms, ui.time_zone) },
      quantities: quantities.includes(quantity) ? quantities : [quantity, ...quantities],
      ...{ marked: found?.marked ?? [], count: found?.count ?? null, curve: found?.curve ?? null },
      ...{ fields: {}, problem: null, done: null, effect: null },
      acts,
      ...said,
    };
    if (!found && view.problem === null) view.problem = 'down';
    if (view.problem !== null && !hasText(`repair.fault_${view.problem}`)) view.problem = 'span';
    return sendPage(c, repairPage(view, ui), view.problem === 'down' ? 503 : view.problem ? 400 : 200);
  }

  /** Marked readings of the days of the span, how many readings are in it, and its curve. */
  async function around(point: MeterPoint, quantity: string, span: { from_ms: number; to_ms: number }, ui: Ui) {
    const days = daysOf(span, ui.time_zone);
    const range = { meter: point.id, quantity, ...days };
    const { at_ms, values, quality } = await series.readings.read(point.tenant, range, { limit: LOOKED_AT });
    const marked: RepairRow[] = [];
    let count = 0;
    for (const [i, at] of at_ms.entries()) {
      if (at >= span.from_ms && at <= span.to_ms) count++;
      if (quality[i]! === 0) continue;
      const value = Number.isNaN(values[i]!) ? null : values[i]!;
      const marks = qualityText(quality[i]!).split('+');
      marked.push({ at_ms: at, value, marks, excluded: (quality[i]! & EXCLUDED) !== 0 });
    }
    marked.sort((a, b) => Number(b.excluded) - Number(a.excluded) || a.at_ms - b.at_ms);
    const slots =
      (await series.slots.read(point.tenant, { ...range, quantity: quantity.replace('_interval_', '_') })) ?? NOTHING;
    return {
      marked: marked.slice(0, SHOWN),
      count: at_ms.length === LOOKED_AT ? null : count,
      curve: { ...days, slots },
    };
  }

  async function actsOf(point: MeterPoint, opened: string | undefined): Promise<RepairView['acts']> {
    const acts = await repairs.list(point.tenant, point.id, { limit: ACTS_SHOWN });
    const open = acts.find(({ id }) => id === opened);
    const changes = open ? (await repairs.changes(point.tenant, open.id, SHOWN)).changes : [];
    return acts.map((one) => ({ ...one, changes: one === open ? changes : null }));
  }
}

/** The store is away: the page shows what it can. */
function down(error: unknown): null {
  if (error instanceof UnavailableError) return null;
  throw error;
}

function fieldsOf(form: Record<string, unknown>): Fields {
  return Object.fromEntries(
    Object.entries(form).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value.trim()]] : [])),
  );
}

function addressOf(point: MeterPoint, { quantity = '', from = '', to = '' }: Fields, done: string): string {
  return `/meters/${encodeURIComponent(point.id)}/repair?${new URLSearchParams({ quantity, from, to, done })}`;
}

/** The local days that the span touches. */
function daysOf({ from_ms, to_ms }: { from_ms: number; to_ms: number }, tz: string) {
  return { from_ms: dayStart(from_ms, tz), to_ms: addDays(dayStart(Math.max(from_ms, to_ms - 1), tz), 1, tz) };
}

/** What the form asks for, or the name of what is wrong with it. */
function askedOf(point: MeterPoint, fields: Fields, { time_zone }: Ui): RepairAsked | string {
  const from_ms = instantIn(fields.from, time_zone);
  const to_ms = instantIn(fields.to, time_zone);
  if (from_ms === null || to_ms === null) return 'span';
  const kind = KINDS.find((one) => one === fields.kind);
  if (!kind) return 'choice';
  const quantity = fields.quantity ?? '';
  if (!quantityInfo(quantity)) return 'quantity';
  const amount = Number((fields.amount ?? '').replace(/\s/g, '').replace(',', '.'));
  const needs = kind === 'value' || kind === 'energy';
  if (needs && (!fields.amount || !Number.isFinite(amount))) return 'amount';
  const choice: RepairChoice =
    kind === 'value' ? { kind, value: amount } : kind === 'energy' ? { kind, energy: amount } : { kind };
  return { meter: point.id, quantity, from_ms, to_ms, choice };
}

/** Epoch milliseconds, or the local time of a form field; null for anything else. */
function instantIn(text: string | undefined, tz: string): number | null {
  if (/^\d{10,14}$/.test(text ?? '')) return Number(text);
  const match = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?$/.exec(text ?? '');
  if (!match) return null;
  const [year, month, day, hour, minute, second = 0] = match.slice(1).map((part) => Number(part ?? 0));
  const at_ms = instantOf(tz, year!, month!, day!, hour!, minute!) + second * 1000;
  return Number.isFinite(at_ms) ? at_ms : null;
}

function fieldText(at_ms: number, tz: string): string {
  const { year, month, day, hour, minute, second } = localTime(at_ms, tz);
  const two = (number: number) => String(number).padStart(2, '0');
  const seconds = at_ms % (SLOT_MS / 15) === 0 ? '' : `:${two(second)}`;
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}${seconds}`;
}
