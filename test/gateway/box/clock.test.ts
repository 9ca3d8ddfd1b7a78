import { afterEach, describe, expect, it } from 'vitest';
import { createTurnedClock, DAY_MS, newHome, openClockBox, T0, type TurnedClock, YEAR_MS } from './clock-rig.ts';

/** What was stored may be off by this. */
const TOLERANCE_MS = 1000;
const MINUTE = 60_000;
const JUMPS = [DAY_MS, -DAY_MS, 10 * YEAR_MS, -10 * YEAR_MS];

describe('a clock that is wrong', { timeout: 90_000 }, () => {
  let home: Awaited<ReturnType<typeof newHome>>;
  let box: Awaited<ReturnType<typeof openClockBox>> | null = null;
  let time: TurnedClock;
  afterEach(async () => {
    await box?.close();
    box = null;
    await home?.remove();
  });
  const open = async () => {
    box = await openClockBox(home.home, time.clock());
    return box;
  };

  it.each(JUMPS)(
    'a jump by %d ms: no reading gets a false time, and all get theirs when the clock is right again',
    async (jump_ms) => {
      home = await newHome();
      time = createTurnedClock();
      const { push, pushAt, until, shown, services } = await open();
      const truth = new Map<number, number>();
      const send = async (value: number) => {
        truth.set(value, time.true_ms());
        expect(await push(value)).toMatchObject({ accepted: 1, rejected: [] });
        time.pass(MINUTE);
      };
      await send(1);
      time.wrong(jump_ms);
      await send(2);
      await send(3);
      expect(services.watch.report()).toMatchObject({ trusted: false, reason: 'jump' });
      expect(Math.abs(services.clock.now() - time.true_ms())).toBeLessThan(TOLERANCE_MS);
      await pushAt(4, time.true_ms() - 5 * MINUTE);
      truth.set(4, time.true_ms() - 5 * MINUTE);
      expect((await until(2)).map(({ value }) => value).sort()).toEqual([1, 4]);
      expect((await services.quarantine.held('default'))[0]).toMatchObject({ readings: 2, current: true });
      time.wrong(0);
      await send(5);
      for (const { at_ms, value, quality } of await until(5)) {
        expect(Math.abs(at_ms - truth.get(value)!), `reading ${value}`).toBeLessThan(TOLERANCE_MS);
        expect(quality).toBe(0);
      }
      expect(await shown()).toHaveLength(5);
      expect(await services.quarantine.held('default')).toEqual([]);
    },
  );

  it.each([DAY_MS, -10 * YEAR_MS])(
    'a jump by %d ms while the box is restarted is noticed, and what is held meanwhile survives',
    async (jump_ms) => {
      home = await newHome();
      time = createTurnedClock();
      await (await open()).push(1);
      await box!.until(1);
      await box!.close();
      time.pass(MINUTE);
      time.wrong(jump_ms);
      const { push, services } = await open();
      expect(services.watch.report()).toMatchObject({ trusted: false, reason: 'jump' });
      const at_ms = time.true_ms();
      await push(2);
      await box!.close();
      time.pass(MINUTE);
      await (await open()).push(3);
      expect((await box!.shown()).map(({ value }) => value)).toEqual([1]);
      time.wrong(0);
      time.pass(1000);
      await box!.push(4);
      const found = await box!.until(4);
      expect(found.map(({ value }) => value)).toEqual([1, 2, 3, 4]);
      expect(Math.abs(found[1]!.at_ms - at_ms)).toBeLessThan(TOLERANCE_MS);
      expect(Math.abs(found[2]!.at_ms - at_ms - MINUTE)).toBeLessThan(TOLERANCE_MS);
    },
  );

  it.each([
    ['1970', -T0 + 5000, 'behind'],
    ['a day ago', -DAY_MS, 'behind'],
    ['in ten years', 10 * YEAR_MS, 'away'],
  ] as const)(
    'a machine that starts in %s: readings wait, and get their time when the clock is set',
    async (_, wrong_ms, reason) => {
      home = await newHome();
      time = createTurnedClock(false);
      await (await open()).push(1);
      await box!.until(1);
      await box!.close();
      time.reboot(10 * MINUTE);
      time.wrong(wrong_ms);
      const { push, services, until } = await open();
      expect(services.watch.report()).toMatchObject({ trusted: false, reason });
      const at_ms = time.true_ms();
      await push(2);
      time.pass(MINUTE);
      expect(await box!.shown()).toHaveLength(1);
      time.wrong(0);
      await push(3);
      const found = await until(3);
      expect(found.map(({ value }) => value)).toEqual([1, 2, 3]);
      expect(Math.abs(found[1]!.at_ms - at_ms)).toBeLessThan(TOLERANCE_MS);
    },
  );

  it('a first start in 1970 waits too, and so does one ten years after the software was built', async () => {
    for (const [wrong_ms, reason] of [
      [-T0 + 5000, 'behind'],
      [10 * YEAR_MS, 'away'],
    ] as const) {
      home = await newHome();
      time = createTurnedClock();
      time.wrong(wrong_ms);
      const { push, shown, services } = await open();
      expect(services.watch.report()).toMatchObject({ trusted: false, reason });
      await push(1);
      expect(await shown()).toEqual([]);
      time.pass(500);
      time.wrong(0);
      await push(2);
      expect((await box!.until(2)).every(({ at_ms }) => Math.abs(at_ms - time.true_ms()) < TOLERANCE_MS)).toBe(true);
      await box!.close();
      box = null;
      if (reason === 'behind') await home.remove();
    }
  });

  it('readings of a start whose time was never known stay aside until a person says when it was, or throws them away', async () => {
    home = await newHome();
    time = createTurnedClock(false);
    await (await open()).push(1);
    await box!.until(1);
    for (const value of [2, 3]) {
      await box!.close();
      time.reboot(10 * MINUTE);
      time.wrong(-10 * YEAR_MS);
      await open();
      await box!.push(value);
    }
    const first_ms = time.true_ms() - 10 * MINUTE;
    time.wrong(0);
    time.pass(MINUTE);
    await box!.push(4);
    expect((await box!.until(3)).map(({ value }) => value)).toEqual([1, 3, 4]);
    const { quarantine, health } = box!.services;
    const [aside] = await quarantine.held('default');
    expect(aside).toMatchObject({ readings: 1, current: false });
    expect(await quarantine.held('other')).toEqual([]);
    await expect(quarantine.release('other', aside!.boot, first_ms)).rejects.toThrow('set aside');
    await expect(quarantine.release('default', '../..', first_ms)).rejects.toThrow('set aside');
    const part = (await health.report()).parts.find(({ name }) => name === 'clock');
    expect(part?.text).toContain('1 readings');
    expect(await quarantine.release('default', aside!.boot, first_ms)).toEqual({ readings: 1 });
    const found = await box!.until(4);
    expect(found.map(({ value }) => value)).toEqual([1, 2, 3, 4]);
    expect(found[1]!.at_ms).toBe(Math.round(first_ms));
    await expect(quarantine.discard('default', aside!.boot)).rejects.toThrow('set aside');
  });
});
