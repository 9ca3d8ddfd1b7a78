import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NotFoundError, UnavailableError } from '../../../engine/errors.ts';
import { HOUR_MS, SLOT_MS } from '../../../engine/model/time.ts';
import { createRepairService } from '../../../gateway/services/repairs.ts';
import { openTestDatabase, type TestDatabase } from '../../setup/database.ts';
import { ADA, openRepairRig, type RepairRig, T0, usual } from './repairs-rig.ts';

const DAY_MS = 24 * HOUR_MS;
/** Tuesday of the second week, 10:00 to 12:00. */
const FROM = T0 + 8 * DAY_MS + 10 * HOUR_MS;
const TO = FROM + 2 * HOUR_MS;
const WHY = 'meter was exchanged';

describe('repairs', { timeout: 90_000 }, () => {
  let test: TestDatabase;
  let rig: RepairRig;
  let count = 0;
  beforeAll(async () => {
    test = await openTestDatabase();
  });
  afterAll(() => test?.close());
  afterEach(() => rig?.close());
  const open = async (gap: { from_ms: number; to_ms: number } | null = null) => {
    rig = await openRepairRig(test, `t${++count}`, gap);
    return rig;
  };
  const one = (meter: string, quantity: string) => ({ meter, quantity, from_ms: FROM, to_ms: TO });

  it('everything that used a value follows, and undo brings all back to the bit', async () => {
    const { repairs, used, tenant, shown } = await open();
    const before = await used(8);
    const readings = await shown('main', 'import_kWh');
    const asked = { ...one('main', 'import_kWh'), to_ms: FROM, choice: { kind: 'value' as const, value: 6850 } };
    const { id } = await repairs.apply(ADA(tenant), asked, WHY);
    const after = await used(8);
    for (const part of ['slots', 'forecast_inputs', 'forecast', 'cost'])
      expect(after[part], part).not.toEqual(before[part]);
    await repairs.apply(ADA(tenant), { ...one('pump', 'power_W'), choice: { kind: 'energy', energy: 7 } }, WHY);
    expect((await used(8)).pump_day).not.toEqual(before.pump_day);
    const [newest] = await repairs.list(tenant, 'pump', { limit: 1 });
    await repairs.undo(ADA(tenant), newest!.id, 'a mistake');
    await repairs.undo(ADA(tenant), id, 'a mistake');
    expect(await used(8)).toEqual(before);
    expect(await shown('main', 'import_kWh')).toEqual(readings);
    expect(rig.sent).toContain('forecast');
  });

  it('day total, month total and cost follow a counter that a person corrects at the end of a day', async () => {
    const gap = { from_ms: FROM - HOUR_MS, to_ms: TO + HOUR_MS };
    const { repairs, used, tenant } = await open(gap);
    const before = await used(8);
    const end_ms = T0 + 9 * DAY_MS;
    const asked = { meter: 'main', quantity: 'import_kWh', from_ms: end_ms, to_ms: end_ms };
    const effect = await repairs.preview(tenant, { ...asked, choice: { kind: 'missing' } });
    expect(await used(8)).toEqual(before);
    expect(effect.changed).toHaveLength(1);
    const list = [
      { meter: 'main', quantity: 'import_kWh', at_ms: T0 + 7 * DAY_MS, value: null },
      { meter: 'main', quantity: 'import_kWh', at_ms: end_ms, value: 6810 },
    ];
    const { ids } = await repairs.set(ADA(tenant), WHY, list);
    const after = await used(8);
    for (const part of ['day_total', 'month_total', 'cost', 'report', 'forecast_inputs', 'forecast'])
      expect(after[part], part).not.toEqual(before[part]);
    await repairs.undo(ADA(tenant), ids[0]!, 'a mistake');
    expect(await used(8)).toEqual(before);
  });

  it('an energy is spread like the same hours of other days, for counters, power and intervals', async () => {
    const { repairs, tenant } = await open({ from_ms: FROM - 4 * HOUR_MS, to_ms: TO });
    const span = { from_ms: FROM - 4 * HOUR_MS, to_ms: FROM };
    for (const [meter, quantity] of [
      ['main', 'import_kWh'],
      ['pump', 'power_W'],
    ] as const) {
      const asked = { meter, quantity, ...span, choice: { kind: 'energy' as const, energy: 16 } };
      const effect = await repairs.preview(tenant, asked);
      expect(effect.sums?.after.span).toBeCloseTo(16, 6);
      await repairs.apply(ADA(tenant), asked, WHY);
      const slots = await rig.series.slots.read(tenant, { meter, quantity: 'import_kWh', ...span });
      const shape = Float64Array.from({ length: 16 }, (_, i) => usual(span.from_ms + i * SLOT_MS));
      const whole = shape.reduce((sum, value) => sum + value, 0);
      for (const [i, value] of slots.values.entries()) expect(value).toBeCloseTo((16 * shape[i]!) / whole, 6);
    }
    const hall = { meter: 'hall', quantity: 'import_interval_kWh', from_ms: TO, to_ms: TO + HOUR_MS };
    await repairs.apply(ADA(tenant), { ...hall, choice: { kind: 'energy', energy: 10 } }, WHY);
    const { values } = await rig.series.slots.read(tenant, { ...hall, quantity: 'import_kWh' });
    expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(10, 9);
  });

  it('says in words what makes no sense, and stores nothing', async () => {
    const { repairs, tenant, shown } = await open();
    const before = await shown('main', 'import_kWh');
    const year = { meter: 'main', quantity: 'import_kWh', from_ms: T0, to_ms: T0 + 400 * DAY_MS };
    for (const [asked, words] of [
      [{ ...one('main', 'import_kWh'), choice: { kind: 'value', value: 7 } }, 'A counter goes on'],
      [{ ...one('main', 'import_kWh'), choice: { kind: 'value', value: -7 } }, 'outside of what can be measured'],
      [
        { ...one('main', 'import_kWh'), from_ms: FROM + 1, choice: { kind: 'energy', energy: 3 } },
        'whole quarter hours',
      ],
      [{ ...one('main', 'import_kWh'), choice: { kind: 'energy', energy: -3 } }, 'from 0 on'],
      [{ ...one('main', 'voltage_V'), choice: { kind: 'energy', energy: 3 } }, 'adds up to none'],
      [{ ...one('main', 'voltage_V'), choice: { kind: 'missing' } }, 'no reading in this span'],
      [{ ...one('main', 'voltage_V'), choice: { kind: 'interpolate' } }, 'no reading before'],
      [{ ...one('hall', 'gas_interval_m3'), choice: { kind: 'interpolate' } }, 'no interval'],
      [{ ...year, choice: { kind: 'missing' } }, 'longer than a year'],
    ] as const)
      await expect(repairs.apply(ADA(tenant), asked as never, WHY)).rejects.toThrow(words);
    await expect(
      repairs.apply(ADA(tenant), { ...one('main', 'import_kWh'), choice: { kind: 'missing' } }, ' '),
    ).rejects.toThrow('needs a reason');
    expect(await shown('main', 'import_kWh')).toEqual(before);
    expect(await repairs.list(tenant, null, { limit: 10 })).toEqual([]);
  });

  it('a span with too many readings is refused with a word', async () => {
    const { repairs, tenant, journal, series } = await open();
    const readings = Array.from({ length: 20_500 }, (_, i) => ({
      meter: 'pump',
      quantity: 'voltage_V',
      at_ms: FROM + i * 1000,
      value: 230 + (i % 7),
      quality: 0,
    }));
    const seq = await journal.append([{ tenant, source: 'test', device: null, received_ms: FROM, readings }]);
    series.drain.notify();
    await expect.poll(() => series.drain.state().applied_seq, { timeout: 20_000 }).toBe(seq);
    const asked = {
      meter: 'pump',
      quantity: 'voltage_V',
      from_ms: FROM,
      to_ms: FROM + 6 * HOUR_MS,
      choice: { kind: 'missing' as const },
    };
    await expect(repairs.apply(ADA(tenant), asked, WHY)).rejects.toThrow('at most 20000');
    const hours = { ...asked, to_ms: FROM + 4 * HOUR_MS };
    expect((await repairs.apply(ADA(tenant), hours, WHY)).count).toBe(4 * 3600 + 1);
  });

  it('keeps who, when, why and the old values', async () => {
    const { repairs, tenant } = await open();
    const { id } = await repairs.apply(
      ADA(tenant),
      { ...one('pump', 'power_W'), choice: { kind: 'value', value: 50 } },
      WHY,
    );
    const { act, changes } = await repairs.changes(tenant, id, 100);
    expect(act).toMatchObject({ by: 'ada', reason: WHY, kind: 'value', amount: 50, state: 'done', count: 9 });
    expect(changes[0]).toEqual({ at_ms: FROM, before: 1200, after: 50, lifted: false });
    const [entry] = await test.db.asTenant(tenant, (sql) =>
      sql<{ act: string; detail: object }>('select act, detail from audit order by id desc limit 1'),
    );
    expect(entry).toMatchObject({ act: 'repair readings', detail: { reason: WHY, repair: id, values: 9 } });
    await repairs.undo(ADA(tenant), id, 'a mistake');
    const acts = await test.db.asTenant(tenant, (sql) => sql<{ act: string }>('select act from audit order by id'));
    expect(acts.map((row) => row.act)).toEqual(['repair readings', 'undo repair']);
  });

  it('undo pulls a repair out from between others; later ones stay, and redo brings it again', async () => {
    const { repairs, tenant, shown } = await open();
    const ada = ADA(tenant);
    const measured = await shown('pump', 'power_W');
    const set = (value: number, from_ms: number, to_ms: number) =>
      repairs.apply(ada, { meter: 'pump', quantity: 'power_W', from_ms, to_ms, choice: { kind: 'value', value } }, WHY);
    const first = await set(10, FROM, TO);
    const second = await set(20, FROM + HOUR_MS, TO + HOUR_MS);
    const both = await shown('pump', 'power_W');
    await repairs.undo(ada, first.id, 'x');
    const at = async (at_ms: number) => {
      const range = { meter: 'pump', quantity: 'power_W', from_ms: at_ms, to_ms: at_ms + 1 };
      return (await rig.series.readings.read(tenant, range)).values[0];
    };
    expect([await at(FROM), await at(FROM + HOUR_MS), await at(TO + HOUR_MS)]).toEqual([1200, 20, 20]);
    await repairs.redo(ada, first.id, 'x');
    expect(await shown('pump', 'power_W')).toEqual(both);
    await repairs.undo(ada, second.id, 'x');
    expect([await at(FROM), await at(FROM + HOUR_MS), await at(TO + HOUR_MS)]).toEqual([10, 10, 1200]);
    await repairs.undo(ada, first.id, 'x');
    expect(await shown('pump', 'power_W')).toEqual(measured);
    await expect(repairs.undo(ada, first.id, 'x')).rejects.toThrow('taken back already');
    const undone = (await repairs.list(tenant, 'pump', { limit: 1 }))[0]!;
    await repairs.redo(ada, undone.id, 'an undo is taken back by a redo');
    expect(await at(FROM)).toBe(10);
  });

  it('whatever the order of repairs, undo and redo: what stands is what was last set and not taken back', async () => {
    const { repairs, tenant, shown } = await open();
    const ada = ADA(tenant);
    const measured = await shown('pump', 'power_W');
    const acts: string[] = [];
    const step = fc.record({
      what: fc.constantFrom('set', 'missing', 'turn'),
      from: fc.nat(5),
      length: fc.nat(4),
      pick: fc.nat(20),
    });
    const [steps] = fc.sample(fc.array(step, { minLength: 25, maxLength: 25 }), { numRuns: 1, seed: 7 });
    const model: { id: string; from: number; to: number; value: number | null; back: boolean }[] = [];
    for (const [n, { what, from, length, pick }] of steps!.entries()) {
      if (what === 'turn' && model.length > 0) {
        const target = model[pick % model.length]!;
        await repairs[target.back ? 'redo' : 'undo'](ada, target.id, 'x');
        target.back = !target.back;
      } else {
        const span = { from_ms: FROM + from * SLOT_MS, to_ms: FROM + (from + length) * SLOT_MS };
        const choice =
          what === 'missing' ? ({ kind: 'missing' } as const) : ({ kind: 'value', value: 1000 + n } as const);
        const { id } = await repairs.apply(ada, { meter: 'pump', quantity: 'power_W', ...span, choice }, WHY);
        model.push({ id, from, to: from + length, value: what === 'missing' ? null : 1000 + n, back: false });
        acts.push(id);
      }
      const range = { meter: 'pump', quantity: 'power_W', from_ms: FROM, to_ms: FROM + 10 * SLOT_MS };
      const { values } = await rig.series.readings.read(tenant, range);
      for (let i = 0; i < 10; i++) {
        const top = model.findLast((act) => !act.back && act.from <= i && act.to >= i);
        expect(values[i], `slot ${i} after step ${n}`).toBe(top ? (top.value ?? Number.NaN) : 1200);
      }
    }
    for (const act of model) if (!act.back) await repairs.undo(ada, act.id, 'x');
    expect(await shown('pump', 'power_W')).toEqual(measured);
  });

  it('a store that does not answer refuses cleanly, and nothing stays half done', async () => {
    const { repairs, deps, tenant, shown } = await open();
    const before = await shown('pump', 'power_W');
    const asked = { ...one('pump', 'power_W'), choice: { kind: 'value' as const, value: 50 } };
    const away = () => Promise.reject(new UnavailableError('The series store does not answer.'));
    const down = createRepairService({
      ...deps,
      series: { ...deps.series, readings: { ...deps.series.readings, read: away } },
    });
    await expect(down.apply(ADA(tenant), asked, WHY)).rejects.toThrow(UnavailableError);
    expect(await repairs.list(tenant, null, { limit: 5 })).toEqual([]);
    // Gone in between: whether the store took it is not known, so that it is taken out for sure.
    const repair: typeof deps.series.readings.repair = async (...args) => {
      await deps.series.readings.repair(...args);
      return away();
    };
    const broken = createRepairService({
      ...deps,
      series: { ...deps.series, readings: { ...deps.series.readings, repair } },
    });
    await expect(broken.apply(ADA(tenant), asked, WHY)).rejects.toThrow('Nothing was repaired');
    expect(await shown('pump', 'power_W')).not.toEqual(before);
    const next = createRepairService(deps);
    next.start();
    await expect
      .poll(async () => (await next.list(tenant, null, { limit: 5 })).map(({ state }) => state))
      .toEqual(['refused']);
    next.stop();
    expect(await shown('pump', 'power_W')).toEqual(before);
  });

  it('what a kill left between the log and the store is finished at the next start', async () => {
    const { repairs, deps, tenant, shown, used } = await open();
    const before = await used(8);
    const asked = { ...one('pump', 'power_W'), choice: { kind: 'value' as const, value: 50 } };
    // A process that is killed never comes back from this call.
    const killed = createRepairService({
      ...deps,
      series: { ...deps.series, readings: { ...deps.series.readings, repair: () => new Promise<never>(() => {}) } },
    });
    void killed.apply(ADA(tenant), asked, WHY);
    await expect
      .poll(async () => (await repairs.list(tenant, null, { limit: 5 })).map(({ state }) => state))
      .toEqual(['begun']);
    expect((await used(8)).pump_day).toEqual(before.pump_day);
    const next = createRepairService(deps);
    next.start();
    await expect
      .poll(async () => (await next.list(tenant, null, { limit: 5 })).map(({ state }) => state))
      .toEqual(['done']);
    next.stop();
    expect((await used(8)).pump_day).not.toEqual(before.pump_day);
    await next.undo(ADA(tenant), (await next.list(tenant, null, { limit: 1 }))[0]!.id, 'x');
    expect(JSON.stringify(await shown('pump', 'power_W'))).toContain('1200');
  });

  it('another organisation sees none of it and undoes none of it', async () => {
    const { repairs, tenant } = await open();
    const { id } = await repairs.apply(
      ADA(tenant),
      { ...one('pump', 'power_W'), choice: { kind: 'value', value: 50 } },
      WHY,
    );
    const other = `other${count}`;
    await test.db.asSystem((sql) => sql('insert into tenant (id, name) values ($1, $1)', [other]));
    expect(await repairs.list(other, null, { limit: 10 })).toEqual([]);
    await expect(repairs.changes(other, id, 10)).rejects.toThrow(NotFoundError);
    await expect(repairs.undo(ADA(other), id, 'x')).rejects.toThrow(NotFoundError);
    expect(await test.db.asTenant(other, (sql) => sql('select * from repair_value'))).toEqual([]);
    expect((await repairs.list(tenant, null, { limit: 10 }))[0]).toMatchObject({ id, taken_back: false });
  });
});
