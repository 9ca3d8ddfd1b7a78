/** Plans, signals of the grid operator and setpoints of one site, on a real database and with the real planner. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InvalidDataError } from '../../../engine/errors.ts';
import { decodeSignal } from '../../../gateway/services/grid-inputs.ts';
import { planCalendar } from '../../../gateway/services/plans/calendar.ts';
import { signalsCsv } from '../../../gateway/services/plans/evidence.ts';
import { createSetpoints, wordsOf } from '../../../gateway/services/setpoints.ts';
import { openTestDatabase, silent, type TestDatabase } from '../../setup/database.ts';
import { admin, BATTERY, CAR, NOW, setUp } from './plans-rig.ts';

describe('plans of a site', () => {
  let test: TestDatabase;
  let box: ReturnType<typeof setUp>;
  beforeAll(async () => {
    test = await openTestDatabase();
    box = setUp(test);
    await box.found();
  });
  afterAll(() => test?.close());

  const faults = async () => {
    const error = await box.plans.refresh('default', 'person').catch((one: unknown) => one);
    expect(error).toBeInstanceOf(InvalidDataError);
    return (error as InvalidDataError).faults.map(({ where }) => where);
  };

  it('says by name what is missing, one after another, and assumes nothing', async () => {
    expect(await faults()).toEqual(['devices']);
    await expect(box.plans.saveDevice(admin, { ...BATTERY, capacity_kWh: -1, soc_meter: '' })).rejects.toMatchObject({
      faults: [{ where: 'capacity_kWh' }, { where: 'soc_meter' }],
    });
    await expect(box.plans.saveDevice(admin, { ...BATTERY, soc_meter: 'nobody' })).rejects.toThrow(
      'no meter point "nobody"',
    );
    await box.plans.saveDevice(admin, BATTERY);
    await box.plans.saveDevice(admin, CAR);
    expect(await faults()).toEqual(['the load forecast']);
    expect(box.plans.problem('default')?.message).toContain('Too little history.');
    box.forecast();
    expect(await faults()).toEqual(['Battery']);
    box.measured('store', 'soc_percent', 50);
  });

  it('makes a plan, keeps it, and tells what it saves, reasons included', async () => {
    const plan = await box.plans.refresh('default', 'person');
    expect(box.plans.problem('default')).toBeNull();
    expect(plan.gave_way).toEqual([]);
    expect(plan.saving.none).toBeGreaterThan(0);
    expect(plan.saving.rule).toBeGreaterThanOrEqual(-1e-6);
    expect(plan.devices.map(({ id, reasons }) => [id, reasons.length])).toEqual([
      ['store', plan.grid_W.length],
      ['car', plan.grid_W.length],
    ]);
    const again = setUp(test);
    await again.site.start();
    expect(await again.plans.latest('default')).toEqual(JSON.parse(JSON.stringify(plan)));
    const calendar = planCalendar(plan, { language: 'de', name: 'Werk, Halle', now_ms: NOW });
    expect(calendar).toContain('SUMMARY:Car lädt');
    for (const line of calendar.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
  });

  it('the month’s peak so far and the quantile that is weighed move the plan', async () => {
    const before = await box.plans.refresh('default', 'person');
    await box.plans.saveSettings(admin, { weigh: 0.9 });
    const careful = await box.plans.refresh('default', 'person');
    expect(careful.load_W[20]).toBe(5000);
    expect(before.load_W[20]).toBe(3000);
    expect(careful.cost.demand).toBeGreaterThan(before.cost.demand);
    await box.plans.saveSettings(admin, {});
  });

  it('is made anew when reality leaves it, and not while it is where the plan has it', async () => {
    const own = setUp(test);
    await own.found();
    own.forecast();
    own.measured('store', 'soc_percent', 50);
    await own.plans.saveDevice(admin, BATTERY);
    await own.plans.saveDevice(admin, CAR);
    // The news of the devices are told once they have settled.
    await expect.poll(() => own.queued, { timeout: 20_000 }).toContainEqual({ tenant: 'default', cause: 'devices' });
    const plan = await own.plans.refresh('default', 'person');
    own.measured('grid', 'power_W', plan.load_W[0]! + 200);
    own.measured('store', 'power_W', 0);
    await own.plans.watch();
    own.measured('grid', 'power_W', plan.load_W[0]! + 4000);
    await own.plans.watch();
    await expect
      .poll(() => own.queued.slice(1), { timeout: 20_000 })
      .toEqual([{ tenant: 'default', cause: 'reality' }]);
    // The car charges at its own meter, as planned: the building itself is where it should be.
    await own.plans.saveDevice(admin, { ...CAR, meter: 'wallbox' });
    own.measured('wallbox', 'power_W', 11_000);
    own.measured('grid', 'power_W', 3000 + 11_000);
    expect((await own.plans.refresh('default', 'person')).load_W[0]).toBe(3000);
    await own.plans.saveDevice(admin, CAR);
    own.plans.stop();
  });

  it('a person sees what an override costs, sets it, and gives the device back', async () => {
    const override = { device: 'store', from_ms: NOW, to_ms: NOW + 3_600_000, power_W: -5000 };
    const { cost } = await box.plans.overrideCost('default', override);
    expect(cost).toBeGreaterThan(0);
    expect(await box.plans.overrides('default')).toEqual([]);
    const set = await box.plans.override(admin, override);
    expect(set.cost).toBeCloseTo(cost, 6);
    const store = (await box.plans.latest('default'))!.devices[0]!;
    expect([store.power_W[1], store.reasons[1]!.code]).toEqual([-5000, 'by-hand']);
    await box.plans.liftOverride(admin, set.id);
    expect(await box.plans.overrides('default')).toEqual([]);
    await expect(box.plans.override(admin, { ...override, device: 'other' })).rejects.toThrow('no device "other"');
  });

  it('a signal of the grid operator is kept at once, never below the minimum, and logged with what was drawn', async () => {
    const sent: { topic: string; power_W: number; because: string }[] = [];
    await box.plans.saveDevice(admin, { ...BATTERY, control: { way: 'mqtt', writing: true, device: 'controller' } });
    await box.plans.saveDevice(admin, { ...CAR, control: { way: 'mqtt', writing: true, device: 'controller' } });
    await box.plans.refresh('default', 'person');
    for (const [device, power_W] of [
      ['store', -7000],
      ['car', -11_000],
    ] as const)
      await box.plans.override(admin, { device, from_ms: NOW, to_ms: NOW + 3_600_000, power_W });
    const setpoints = createSetpoints({
      ...{
        clock: box.clock,
        log: silent,
        bus: box.bus,
        tenants: () => ['default'],
        plan: box.plans.latest,
        planDevices: box.plans.devices,
      },
      ...{
        signals: box.signals,
        live: { of: (_tenant: string, meter: string) => box.live.get(meter) ?? new Map() },
        device: () => null,
      },
      buses: { acquire: () => expect.unreachable() },
      publish: async (_tenant, topic, payload) => void sent.push({ topic, ...JSON.parse(payload) }),
    });
    await setpoints.apply('default');
    expect(sent.find(({ topic }) => topic === 'setpoints/default/controller/store')).toMatchObject({
      power_W: -7000,
      because: 'plan',
    });
    sent.length = 0;
    box.measured('store', 'power_W', -10_000);
    const signal = await box.signals.signal('default', {
      source: 'mqtt',
      ...decodeSignal(Buffer.from('{"limit_W":0}'))!,
    });
    // 4.2 kW + (2 − 1) × 0.80 × 4.2 kW
    expect([signal.minimum_W, signal.limit_W]).toEqual([7560, 7560]);
    await setpoints.apply('default');
    const drawn = sent.reduce((sum, { power_W }) => sum + Math.max(0, -power_W), 0);
    expect(drawn).toBeLessThanOrEqual(7560);
    expect(drawn).toBeGreaterThan(7000);
    expect(sent.some(({ because }) => because === 'signal')).toBe(true);
    const planned = await box.plans.refresh('default', 'signal');
    expect(planned.devices.reduce((sum, { power_W }) => sum + Math.max(0, -power_W[1]!), 0)).toBeLessThanOrEqual(7561);
    box.pass(30_000);
    await box.signals.end('default', 'mqtt');
    expect(box.signals.limit('default')).toBeNull();
    const [kept] = await box.signals.list('default', NOW - 1, NOW + 3_600_000);
    expect(kept).toMatchObject({ source: 'mqtt', asked_W: 0, limit_W: 7560, ended_ms: NOW + 30_000 });
    expect(kept!.obeyed_ms! - kept!.from_ms).toBeLessThanOrEqual(60_000);
    const draws = await box.signals.draws('default', kept!.id);
    // The car is not measured: what was drawn together is not known, and is not called 0.
    expect(draws.map(({ drawn_W, detail }) => [drawn_W, detail.store, detail.car])).toEqual([
      [null, 10_000, null],
      [null, 10_000, null],
    ]);
    expect(signalsCsv([kept!], [draws])).toContain('car=not measured store=10000');
    sent.length = 0;
    await setpoints.stop();
    expect(sent.map(({ power_W, because }) => [power_W, because])).toEqual([
      [0, 'safe'],
      [0, 'safe'],
    ]);
  });

  it('sends the safe value once the plan is too old, and nothing where no admin switched writing on', async () => {
    const sent: { device: string; power_W: number; because: string }[] = [];
    const setpoints = createSetpoints({
      ...{
        clock: box.clock,
        log: silent,
        bus: box.bus,
        tenants: () => ['default'],
        plan: box.plans.latest,
        planDevices: box.plans.devices,
      },
      ...{ signals: box.signals, live: { of: () => new Map() }, device: () => null },
      buses: { acquire: () => expect.unreachable() },
      publish: async (_tenant, _topic, payload) => void sent.push(JSON.parse(payload)),
    });
    await box.plans.saveDevice(admin, { ...CAR, control: { way: 'mqtt', writing: false, device: 'controller' } });
    box.pass(50 * 60_000);
    await setpoints.apply('default');
    expect(sent.map(({ device, power_W, because }) => [device, power_W, because])).toEqual([['store', 0, 'safe']]);
  });
});

describe('values for Modbus registers', () => {
  it.each([
    [-1, 'int16', [0xffff]],
    [40_000, 'int16', [0x7fff]],
    [-5, 'uint16', [0]],
    [-355.9, 'int16', [0xfe9d]],
    [7.9999999, 'int16', [8]],
    [-70_000, 'int32', [0xfffe, 0xee90]],
  ] as const)('%d as %s', (value, type, words) => expect(wordsOf(value, type)).toEqual(words));
});

describe('a signal over MQTT', () => {
  it('is a number, an object, or nothing to take it back; anything else is refused in words', () => {
    expect(decodeSignal(Buffer.from('4200'))).toEqual({ limit_W: 4200 });
    expect(decodeSignal(Buffer.from('{"limit_W":0,"to":"2026-06-15T12:00Z"}'))).toEqual({
      limit_W: 0,
      to_ms: Date.parse('2026-06-15T12:00Z'),
    });
    for (const text of ['', 'null', '{"limit_W":null}']) expect(decodeSignal(Buffer.from(text))).toBeNull();
    for (const text of ['{', '{"limit_W":"x"}', '{"limit_W":1,"to":"soon"}', 'x'.repeat(2000)])
      expect(() => decodeSignal(Buffer.from(text))).toThrow(InvalidDataError);
  });
});
