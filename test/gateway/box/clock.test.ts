import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, createTurnedClock, DAY_MS, newHome, openClockBox, T0, YEAR_MS } from './clock-rig.ts';

/** What was stored may be off by this. */
const TOLERANCE_MS = 1000;
const MINUTE = 60_000;
const PASSWORD = 'correct horse battery';
const JUMPS = [DAY_MS, -DAY_MS, 10 * YEAR_MS, -10 * YEAR_MS];

/** One box lives through all of this: whatever happened to its clock before, the next is noticed as well. */
describe('a clock that is wrong', { timeout: 90_000 }, () => {
  const time = createTurnedClock();
  let home: Awaited<ReturnType<typeof newHome>>;
  let box: Awaited<ReturnType<typeof openClockBox>>;
  /** When each reading was taken; its value is its number. */
  const truth: number[] = [];

  const open = async () => {
    box = await openClockBox(home.home, time.clock());
  };
  /** A reading that the box stamps. @returns its number */
  const send = async () => {
    // No two at the same instant.
    time.pass(1);
    const value = truth.push(time.true_ms()) - 1;
    expect(await box.push(value)).toMatchObject({ accepted: 1, rejected: [] });
    return value;
  };
  const shown = async () => new Set((await box.shown()).map(({ value }) => value));
  const inTime = async (values: readonly number[]) => {
    const found = await box.until(values);
    expect(found.map(({ value }) => value).sort((a, b) => a - b)).toEqual([...values].sort((a, b) => a - b));
    for (const { at_ms, value, quality } of found) {
      expect(Math.abs(at_ms - truth[value]!), `reading ${value}`).toBeLessThan(TOLERANCE_MS);
      expect(quality).toBe(0);
    }
  };
  const noneHeld = async () => expect(await box.services.quarantine.held('default')).toEqual([]);

  beforeAll(async () => {
    home = await newHome();
    await open();
  }, 60_000);
  afterAll(async () => {
    await box?.close();
    await home?.remove();
  });

  it.each(JUMPS)(
    'a jump by %d ms: no reading gets a false time, and all get theirs when the clock is right again',
    async (jump_ms) => {
      const before = await send();
      time.pass(MINUTE);
      time.wrong(jump_ms);
      const held = [await send()];
      time.pass(MINUTE);
      held.push(await send());
      time.pass(MINUTE);
      expect(box.services.watch.report()).toMatchObject({ trusted: false, reason: 'jump' });
      expect(Math.abs(box.services.clock.now() - time.true_ms())).toBeLessThan(TOLERANCE_MS);
      // Between the times of all others.
      const own = truth.push(time.true_ms() - 4.5 * MINUTE) - 1;
      await box.pushAt(own, truth[own]!);
      await inTime([before, own]);
      for (const value of held) expect(await shown()).not.toContain(value);
      expect((await box.services.quarantine.held('default'))[0]).toMatchObject({ readings: 2, current: true });
      time.wrong(0);
      const after = await send();
      await inTime([before, own, ...held, after]);
      expect((await box.shown()).length).toBe(truth.length);
      await noneHeld();
    },
  );

  it.each(JUMPS)(
    'a jump by %d ms: people stay signed in, nothing is removed, and what is written down has the right time',
    async (jump_ms) => {
      const { access, alerts, watch } = box.services;
      const login = `anna${jump_ms}`;
      await access.addPerson(ADMIN, { login, name: 'Anna', role: 'user', password: PASSWORD });
      const before = await access.signIn(login, PASSWORD, '10.0.0.1');
      time.pass(MINUTE);
      time.wrong(jump_ms);
      // Signing in also removes sessions that are over.
      const during = await access.signIn(login, PASSWORD, '10.0.0.1');
      expect(watch.trusted()).toBe(false);
      await alerts.raise('default', 'meter_silent', login, 'warning');
      const told = (await alerts.list('default')).find(({ object }) => object === login)!;
      expect(Math.abs(told.opened_ms - time.true_ms())).toBeLessThan(TOLERANCE_MS);
      const person = (await access.listPeople('default')).find((one) => one.login === login)!;
      expect(Math.abs(person.last_sign_in_ms! - time.true_ms())).toBeLessThan(TOLERANCE_MS);
      const signedIn = () =>
        Promise.all([before, during].map(async ({ token }) => (await access.session(token)) !== null));
      expect(await signedIn()).toEqual([true, true]);
      time.wrong(0);
      time.pass(1000);
      expect(watch.trusted()).toBe(true);
      await access.signIn(login, PASSWORD, '10.0.0.1');
      expect(await signedIn()).toEqual([true, true]);
    },
  );

  it.each([DAY_MS, -10 * YEAR_MS])(
    'a jump by %d ms while the box is restarted is noticed, and what is held meanwhile survives',
    async (jump_ms) => {
      const before = await send();
      await inTime([before]);
      await box.close();
      time.pass(MINUTE);
      time.wrong(jump_ms);
      await open();
      expect(box.services.watch.report()).toMatchObject({ trusted: false, reason: 'jump' });
      const held = [await send()];
      await box.close();
      time.pass(MINUTE);
      await open();
      held.push(await send());
      for (const value of held) expect(await shown()).not.toContain(value);
      time.wrong(0);
      time.pass(1000);
      await inTime([before, ...held, await send()]);
    },
  );

  it.each([
    ['1970', -T0 + 5000, 'behind'],
    ['a day ago', -DAY_MS, 'behind'],
    ['in ten years', 10 * YEAR_MS, 'away'],
  ] as const)(
    'a machine that starts in %s: readings wait, and get their time when the clock is set',
    async (_, wrong_ms, reason) => {
      const before = await send();
      await inTime([before]);
      await box.close();
      time.battery(false);
      time.reboot(10 * MINUTE);
      time.wrong(wrong_ms);
      await open();
      expect(box.services.watch.report()).toMatchObject({ trusted: false, reason });
      const held = await send();
      time.pass(MINUTE);
      expect(await shown()).not.toContain(held);
      time.wrong(0);
      await inTime([before, held, await send()]);
    },
  );

  it('readings of a start whose time was never known stay aside until a person says when it was, or throws them away', async () => {
    await inTime([await send()]);
    const held: number[] = [];
    for (let n = 0; n < 2; n++) {
      await box.close();
      time.battery(false);
      time.reboot(10 * MINUTE);
      time.wrong(-10 * YEAR_MS);
      await open();
      held.push(await send());
    }
    time.wrong(0);
    time.pass(MINUTE);
    await inTime([held[1]!, await send()]);
    expect(await shown()).not.toContain(held[0]);
    const { quarantine, health } = box.services;
    const [aside] = await quarantine.held('default');
    const first_ms = truth[held[0]!]!;
    expect(aside).toMatchObject({ readings: 1, current: false });
    expect(await quarantine.held('other')).toEqual([]);
    await expect(quarantine.release('other', aside!.boot, first_ms)).rejects.toThrow('set aside');
    await expect(quarantine.release('default', '../..', first_ms)).rejects.toThrow('set aside');
    const part = (await health.report()).parts.find(({ name }) => name === 'clock');
    expect(part?.text).toContain('1 readings');
    expect(await quarantine.release('default', aside!.boot, first_ms)).toEqual({ readings: 1 });
    await inTime(held);
    await expect(quarantine.discard('default', aside!.boot)).rejects.toThrow('set aside');
  });
});

it('a first start in 1970 waits too, and its readings get their time when the clock is set', async () => {
  const time = createTurnedClock();
  time.wrong(-T0 + 5000);
  const { home, remove } = await newHome();
  const box = await openClockBox(home, time.clock());
  try {
    expect(box.services.watch.report()).toMatchObject({ trusted: false, reason: 'behind' });
    await box.push(1);
    expect(await box.shown()).toEqual([]);
    time.pass(500);
    time.wrong(0);
    await box.push(2);
    expect((await box.until([1, 2])).every(({ at_ms }) => Math.abs(at_ms - time.true_ms()) < TOLERANCE_MS)).toBe(true);
  } finally {
    await box.close();
    await remove();
  }
}, 90_000);
