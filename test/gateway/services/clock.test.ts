import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReadingGroup } from '../../../engine/model/reading.ts';
import { deadLetterFolder, readDeadLetters } from '../../../gateway/dead-letters.ts';
import { createClockAlerts } from '../../../gateway/services/clock-alerts.ts';
import { type ClockQuarantine, createClockQuarantine } from '../../../gateway/services/clock-quarantine.ts';
import { type ClockWatch, openClockWatch } from '../../../gateway/services/clock-watch.ts';
import { createRetention } from '../../../gateway/services/retention.ts';
import { silent } from '../../setup/database.ts';
import { until } from '../../setup/until.ts';
import { createTurnedClock, DAY_MS, T0, type TurnedClock, YEAR_MS } from '../box/clock-rig.ts';

const MINUTE = 60_000;
const TOLERANCE_MS = 31_000;
/** A value that the way in refuses. */
const REFUSED = -777;

describe('the clock', { timeout: 90_000 }, () => {
  let home: string;
  let time: TurnedClock;
  let watch: ClockWatch;
  let quarantine: ClockQuarantine;
  let stored: { at_ms: number; value: number }[];
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'luna-clock-'));
    [time, stored] = [createTurnedClock(), []];
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  async function open() {
    watch = await openClockWatch(
      { home, log: silent, clock: time.clock(), built_ms: T0 - DAY_MS, every_ms: 1e6 },
      () => null,
    );
    quarantine = createClockQuarantine({
      ...{ home, log: silent, watch, max_bytes: 64 * 1024 * 1024 },
      intake: async ({ readings }) => {
        const kept = readings.filter(({ value }) => value !== REFUSED);
        stored.push(...kept.map(({ at_ms, value }) => ({ at_ms, value })));
        const problem = 'There is no meter point "pump".';
        const rejected = readings.flatMap(({ value }, index) => (value === REFUSED ? [{ index, problem }] : []));
        return { accepted: kept.length, flagged: 0, rejected };
      },
    });
    watch.start();
    quarantine.start();
  }
  async function close() {
    await quarantine.close();
    await watch.stop();
  }
  const group = (value: number, at_ms = watch.clock.now()): ReadingGroup => ({
    ...{ tenant: 't', source: 'mqtt', device: 'pump', received_ms: watch.clock.now() },
    readings: [{ meter: 'pump', quantity: 'power_W', at_ms, value, quality: 0 }],
  });
  const settled = () => new Promise((done) => setTimeout(done, 30));

  it('random jumps, restarts and readings: every stored time is near the true one, and nothing is lost or doubled', async () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ what: fc.constant('push' as const), pass_ms: fc.integer({ min: 1, max: 5 * MINUTE }) }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          what: fc.constant('wrong' as const),
          by_ms: fc.constantFrom(0, 0, DAY_MS, -DAY_MS, 10 * YEAR_MS, -10 * YEAR_MS, -T0 + 5000),
        }),
      },
      { weight: 1, arbitrary: fc.record({ what: fc.constant('restart' as const) }) },
      {
        weight: 1,
        arbitrary: fc.record({
          what: fc.constant('reboot' as const),
          off_ms: fc.integer({ min: MINUTE, max: 3 * 3_600_000 }),
        }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        rmSync(home, { recursive: true, force: true });
        [time, stored] = [createTurnedClock(), []];
        const truth: number[] = [];
        await open();
        for (const one of steps) {
          if (one.what === 'wrong') time.wrong(one.by_ms);
          else if (one.what === 'push') {
            time.pass(one.pass_ms);
            truth.push(time.true_ms());
            await quarantine.intake(group(truth.length - 1));
          } else {
            await close();
            if (one.what === 'reboot') time.reboot(one.off_ms);
            await open();
          }
        }
        for (const { at_ms, value } of stored) expect(Math.abs(at_ms - truth[value]!)).toBeLessThan(TOLERANCE_MS);
        time.wrong(0);
        time.pass(1000);
        watch.trusted();
        await close();
        await open();
        await settled();
        await quarantine.close();
        const aside = (await quarantine.held('t')).reduce((sum, { readings }) => sum + readings, 0);
        for (const { at_ms, value } of stored) expect(Math.abs(at_ms - truth[value]!)).toBeLessThan(TOLERANCE_MS);
        expect(new Set(stored.map(({ value }) => value)).size).toBe(stored.length);
        expect(stored.length + aside).toBe(truth.length);
        await quarantine.close();
        await watch.stop();
      }),
      { numRuns: 12, seed: 4 },
    );
  });

  it('one witness on its side is enough to trust a clock, two against it to stop', async () => {
    await open();
    watch.witness('date a', 'date', time.true_ms() + DAY_MS);
    expect(watch.trusted()).toBe(true);
    watch.witness('date b', 'date', time.true_ms() + DAY_MS);
    expect(watch.report()).toMatchObject({ trusted: false, reason: 'contradicted' });
    expect(Math.abs(watch.clock.now() - time.true_ms() - DAY_MS)).toBeLessThan(1000);
    watch.witness('date c', 'date', time.true_ms() + 5000);
    expect(watch.trusted()).toBe(true);
    await close();
  });

  it('devices that kept readings while the network was away, or live in a wrong time zone, say nothing against the clock', async () => {
    await open();
    for (const off_ms of [-2 * DAY_MS, -3_600_000, 2 * 3_600_000, 14 * 3_600_000])
      for (const device of ['a', 'b']) {
        watch.witness(`device ${device}`, 'device', time.true_ms() + off_ms);
        expect(watch.trusted(), `${off_ms}`).toBe(true);
      }
    for (const device of ['a', 'b']) watch.witness(`device ${device}`, 'device', time.true_ms() + DAY_MS);
    expect(watch.trusted()).toBe(false);
    await close();
  });

  it('small steps pass, and a jump is noticed by the very question that would have seen it', async () => {
    await open();
    for (const step_ms of [5000, -4000, 12_000]) {
      time.wrong(step_ms);
      expect(watch.clock.now()).toBe(Math.round(time.true_ms() + step_ms));
    }
    time.wrong(DAY_MS);
    expect(Math.abs(watch.clock.now() - time.true_ms())).toBeLessThan(TOLERANCE_MS);
    expect(watch.trusted()).toBe(false);
    await close();
  });

  it('a reading that was under way when the clock was set right gets the right time', async () => {
    await open();
    time.wrong(10 * YEAR_MS);
    watch.trusted();
    watch.believe();
    expect(watch.clock.now()).toBeGreaterThan(time.true_ms() + YEAR_MS);
    const under_way = group(1);
    time.pass(2000);
    time.wrong(0);
    watch.trusted();
    watch.believe();
    await quarantine.intake(under_way);
    await until(() => stored.length === 1, 'the reading');
    expect(Math.abs(stored[0]!.at_ms - (time.true_ms() - 2000))).toBeLessThan(10);
    await close();
  });

  it('readings from the future wait as well, with the time they carry', async () => {
    await open();
    time.wrong(-10 * YEAR_MS);
    await quarantine.intake(group(1, time.true_ms() + 3_600_000));
    expect(stored).toEqual([]);
    time.pass(3_600_000);
    time.wrong(0);
    watch.trusted();
    await until(() => stored.length > 0, 'the reading');
    expect(stored).toEqual([{ at_ms: time.true_ms(), value: 1 }]);
    await close();
  });

  it('a first start ten years after the software was built waits too', async () => {
    time.wrong(10 * YEAR_MS);
    await open();
    expect(watch.report()).toMatchObject({ trusted: false, reason: 'away' });
    await quarantine.intake(group(1));
    expect(stored).toEqual([]);
    const at_ms = time.true_ms();
    time.pass(500);
    time.wrong(0);
    watch.trusted();
    await until(() => stored.length === 1, 'the reading');
    expect(Math.abs(stored[0]!.at_ms - at_ms)).toBeLessThan(1000);
    await close();
  });

  it('what is refused when its time is known is put aside with the reason, and the rest goes on', async () => {
    await open();
    time.wrong(DAY_MS);
    const readings = [1, REFUSED, 2].map((value) => group(value).readings[0]!);
    expect(await quarantine.intake({ ...group(0), readings })).toMatchObject({ accepted: 3, rejected: [] });
    const at_ms = time.true_ms();
    time.pass(MINUTE);
    time.wrong(0);
    watch.trusted();
    await until(async () => (await quarantine.held('t')).length === 0, 'held readings');
    expect(stored.map(({ value }) => value)).toEqual([1, 2]);
    const [letter, ...more] = await readDeadLetters(deadLetterFolder(home));
    expect(more).toEqual([]);
    expect(letter).toMatchObject({ reason: 'There is no meter point "pump".', group: { tenant: 't', source: 'mqtt' } });
    expect(letter!.group.readings).toMatchObject([{ meter: 'pump', value: REFUSED }]);
    expect(Math.abs(letter!.group.readings[0]!.at_ms - at_ms)).toBeLessThan(TOLERANCE_MS);
    await close();
  });

  it('what is erased while it waits is never let through, and what comes later or from others is', async () => {
    await open();
    time.wrong(DAY_MS);
    const of = (tenant: string, meter: string, value: number): ReadingGroup => {
      const one = group(value);
      return { ...one, tenant, readings: [{ ...one.readings[0]!, meter }] };
    };
    await quarantine.intake(of('t', 'pump', 1));
    await quarantine.intake(of('t', 'fan', 2));
    await quarantine.intake(of('other', 'pump', 3));
    await quarantine.erase('t', ['pump']);
    await quarantine.erase('nobody', null);
    await quarantine.intake(of('t', 'pump', 4));
    expect(await quarantine.held('t')).toMatchObject([{ readings: 2 }]);
    // Written down: a restart does not forget it.
    await close();
    await open();
    expect(await quarantine.held('t')).toMatchObject([{ readings: 2 }]);
    time.wrong(0);
    watch.trusted();
    await until(() => stored.length >= 3, 'held readings');
    await until(async () => (await quarantine.held('other')).length === 0, 'held readings');
    expect(stored.map(({ value }) => value).toSorted()).toEqual([2, 3, 4]);
    await close();
  });

  it('what is erased is gone from an earlier start of the box too', async () => {
    await open();
    time.wrong(DAY_MS);
    for (const value of [1, 2]) await quarantine.intake(group(value));
    await close();
    time.reboot(MINUTE);
    await open();
    const [held] = await quarantine.held('t');
    expect(held).toMatchObject({ current: false, readings: 2 });
    await quarantine.erase('t', null);
    expect(await quarantine.held('t')).toEqual([]);
    await expect(quarantine.release('t', held!.boot, T0)).rejects.toThrow(/No readings/);
    expect(stored).toEqual([]);
    await close();
  });

  it('a damaged state file is as none', async () => {
    await writeFile(join(home, 'clock.json'), '{"boot":"boot-1","offset_ms":');
    await open();
    expect(watch.trusted()).toBe(true);
    await close();
  });

  it('every organisation is told once, and told when it is over', async () => {
    await open();
    const told: string[] = [];
    const alerts = {
      raise: async (tenant: string, kind: string) => void told.push(`raise ${tenant} ${kind}`),
      clear: async (tenant: string, kind: string) => void told.push(`clear ${tenant} ${kind}`),
    };
    const clockAlerts = createClockAlerts({
      log: silent,
      watch,
      site: { tenants: () => ['a', 'b'] },
      alerts,
      every_ms: 5,
    });
    clockAlerts.start();
    time.wrong(DAY_MS);
    watch.trusted();
    await until(() => told.at(-1) === 'raise b clock_wrong', 'the alerts');
    time.wrong(0);
    watch.trusted();
    await until(() => told.at(-1) === 'clear b clock_wrong', 'their end');
    clockAlerts.close();
    const all = ['clear a clock_wrong', 'clear b clock_wrong'];
    expect(told.slice(-4)).toEqual(['raise a clock_wrong', 'raise b clock_wrong', ...all]);
    await close();
  });

  it('nothing is pruned because a clock jumped ten years ahead', async () => {
    await open();
    const pruned: (number | null)[] = [];
    const config = {
      keep_readings_days: 730,
      keep_slots_days: null,
      keep_prices_days: null,
      keep_forecasts_days: 400,
    } as never;
    const series = {
      prune: async (limits: { readings_before_ms: number | null }) => void pruned.push(limits.readings_before_ms),
    } as never;
    time.wrong(10 * YEAR_MS);
    const retention = createRetention({
      config,
      clock: watch.clock,
      log: silent,
      series,
      trusted: watch.trusted,
      first_ms: 5,
    });
    retention.start();
    await settled();
    expect(pruned).toEqual([]);
    time.wrong(0);
    await until(() => pruned.length > 0, 'the old readings to be let go');
    retention.close();
    expect(pruned[0]).toBeLessThanOrEqual(time.true_ms() - 729 * DAY_MS);
    await close();
  });
});
