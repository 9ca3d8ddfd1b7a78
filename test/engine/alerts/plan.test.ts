import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  createPlanning,
  type PastMessage,
  type PlanInput,
  type PlannedAlert,
  type PlannedRecipient,
  planMessages,
  type Told,
} from '../../../engine/alerts/plan.ts';
import { quietUntil } from '../../../engine/alerts/quiet.ts';

vi.mock('../../../engine/alerts/quiet.ts', async (original) => {
  const real = await original<typeof import('../../../engine/alerts/quiet.ts')>();
  return { ...real, quietUntil: vi.fn(real.quietUntil) };
});

const MIN = 60_000;
const T0 = Date.parse('2026-03-10T12:00:00Z');
const alert = (change: Partial<PlannedAlert> = {}): PlannedAlert => ({
  ...{ id: 'a', kind: 'meter_silent', object: 'm1', severity: 'warning', raised_ms: T0, closed_ms: null },
  ...{ acknowledged_ms: null, round: 1 },
  ...change,
});
const person = (id: string, change: Partial<PlannedRecipient> = {}): PlannedRecipient => ({
  ...{ id, channel: 'mail', mirrors: false, min_severity: 'warning', repeat_min: null, step: 1, quiet: null },
  ...{ faults_break_through: true },
  ...change,
});

/** Plays time minute by minute; every message is delivered at once unless `refused`. */
function play(
  minutes: number,
  input: (minute: number) => Partial<PlanInput>,
  options: { refused?: (recipient: string) => boolean; step_min?: number } = {},
) {
  const told: Told[] = [];
  const messages: PastMessage[] = [];
  const log: string[] = [];
  for (let minute = 0; minute <= minutes; minute += options.step_min ?? 1) {
    const now_ms = T0 + minute * MIN;
    const rules = { group_s: 60, escalate_min: 30 };
    const plan = planMessages({
      ...{ now_ms, time_zone: 'Europe/Berlin', rules, alerts: [], recipients: [], told, messages },
      ...input(minute),
    });
    for (const { recipient, severity, items } of plan) {
      const refused = options.refused?.(recipient) ?? false;
      messages.push({ recipient, at_ms: now_ms, severity });
      told.push(...items.map((item) => ({ ...item, recipient, at_ms: now_ms, sent: !refused, refused })));
      const whats = [...new Set(items.map(({ what }) => what))].join('+');
      log.push(`${minute} ${recipient} ${whats}${items.length > 1 ? ` ${items.length}` : ''}`);
    }
  }
  return { log, messages, told };
}

describe('who is told what', () => {
  it('once, after the window, and that it is over', () => {
    const { log } = play(120, (minute) => ({
      alerts: [alert({ closed_ms: minute >= 20 ? T0 + 20 * MIN : null })],
      recipients: [person('anna')],
    }));
    // The message about the end waits twice as long: it is the second within the hour.
    expect(log).toEqual(['1 anna opened', '22 anna solved']);
  });

  it('nobody of what was over before the message left', () => {
    const { log } = play(60, () => ({ alerts: [alert({ closed_ms: T0 + 10_000 })], recipients: [person('anna')] }));
    expect(log).toEqual([]);
  });

  it('a storm of 1,000 alerts of one cause in one message', () => {
    const alerts = Array.from({ length: 1000 }, (_, i) =>
      alert({ id: `a${i}`, object: `m${i}`, raised_ms: T0 + i * 50 }),
    );
    const { log } = play(60, () => ({
      alerts: alerts.filter(({ raised_ms }) => raised_ms <= T0 + MIN),
      recipients: [person('anna')],
    }));
    expect(log).toEqual(['1 anna opened 1000']);
  });

  it('a storm of 1,000 alerts over an hour in a handful of messages, and no alert is left out or told twice', () => {
    const alerts = Array.from({ length: 1000 }, (_, i) =>
      alert({ id: `a${i}`, object: `m${i}`, kind: `k${i % 40}`, raised_ms: T0 + i * 3600 }),
    );
    const { log, told } = play(120, (minute) => ({
      alerts: alerts.filter(({ raised_ms }) => raised_ms <= T0 + minute * MIN),
      recipients: [person('anna')],
    }));
    expect(log.length).toBeLessThanOrEqual(7);
    expect(new Set(told.map((one) => one.alert)).size).toBe(1000);
    expect(told).toHaveLength(1000);
  });

  it('a fault within minutes in the middle of a storm', () => {
    const storm = Array.from({ length: 300 }, (_, i) =>
      alert({ id: `a${i}`, raised_ms: T0 + i * 10_000, severity: i % 3 === 0 ? 'fault' : 'warning' }),
    );
    const fault = alert({ id: 'fault', severity: 'fault', raised_ms: T0 + 25 * MIN });
    const { told } = play(60, (minute) => ({
      alerts: [...storm, fault].filter(({ raised_ms }) => raised_ms <= T0 + minute * MIN),
      recipients: [person('anna')],
    }));
    const at_ms = told.find((one) => one.alert === 'fault')!.at_ms;
    expect(at_ms - fault.raised_ms).toBeLessThanOrEqual(5 * MIN);
  });

  it('the next step when nobody acknowledges, and nobody further when somebody does', () => {
    const recipients = [person('anna'), person('ben', { step: 2 }), person('chef', { step: 5 })];
    const { log } = play(300, (minute) => ({
      alerts: [alert({ acknowledged_ms: minute >= 50 ? T0 + 50 * MIN : null })],
      recipients,
    }));
    expect(log).toEqual(['1 anna opened', '32 ben escalated']);
    expect(play(300, () => ({ alerts: [alert()], recipients })).log).toEqual([
      '1 anna opened',
      '32 ben escalated',
      '63 chef escalated',
    ]);
  });

  it('the next step at once when nobody of the step can be reached', () => {
    const recipients = [person('anna'), person('ben', { step: 2 })];
    const { log } = play(60, () => ({ alerts: [alert()], recipients }), { refused: (who) => who === 'anna' });
    expect(log).toEqual(['1 anna opened', '2 ben escalated']);
  });

  it('nobody below the severity of the channel, and steps that nobody hears are skipped', () => {
    const recipients = [person('anna', { min_severity: 'fault' }), person('ben', { step: 2 })];
    expect(play(60, () => ({ alerts: [alert()], recipients })).log).toEqual(['1 ben opened']);
    expect(play(60, () => ({ alerts: [alert({ severity: 'info' })], recipients })).log).toEqual([]);
  });

  it('again while it stays open and unseen, where the channel repeats', () => {
    const recipients = [person('anna', { repeat_min: 60 })];
    const { log } = play(200, (minute) => ({
      alerts: [alert({ acknowledged_ms: minute >= 150 ? T0 + 150 * MIN : null })],
      recipients,
    }));
    expect(log.map((line) => line.split(' ').slice(1).join(' '))).toEqual([
      'anna opened',
      'anna repeated',
      'anna repeated',
    ]);
  });

  it('in the morning what came in the quiet hours, but a fault at once', () => {
    // 12:00 UTC is 13:00 in Berlin; quiet from 13:00 to 15:00.
    const quiet = { from_min: 13 * 60, to_min: 15 * 60 };
    const alerts = [alert(), alert({ id: 'b', object: 'm2', raised_ms: T0 + MIN })];
    const recipients = [person('anna', { quiet })];
    expect(play(180, () => ({ alerts, recipients })).log).toEqual(['120 anna opened 2']);
    const fault = [alert({ severity: 'fault' })];
    expect(play(180, () => ({ alerts: fault, recipients })).log).toEqual(['1 anna opened']);
    const deaf = [person('anna', { quiet, faults_break_through: false })];
    expect(play(180, () => ({ alerts: fault, recipients: deaf })).log).toEqual(['120 anna opened']);
  });

  describe('the next step while step 1 is in its quiet hours', () => {
    // T0 is 13:00 in Berlin: a night from 13:00 to 21:00.
    const quiet = { from_min: 13 * 60, to_min: 21 * 60 };
    const deaf = { quiet, faults_break_through: false };
    const alerts = [alert({ kind: 'disk_full', severity: 'fault' })];
    const night = person('night', { step: 2 });

    it('at once where all of the step are, and they still hear of it at the end', () => {
      const recipients = [person('anna', deaf), night];
      expect(play(600, () => ({ alerts, recipients })).log).toEqual(['1 night escalated', '480 anna opened']);
      const seen = alert({ severity: 'fault', acknowledged_ms: T0 + 10 * MIN });
      const { log } = play(600, (minute) => ({ alerts: minute < 10 ? alerts : [seen], recipients }));
      expect(log).toEqual(['1 night escalated']);
    });

    it('after its minutes where one of them is awake', () => {
      const recipients = [person('anna', deaf), person('ben'), night, person('chef', { step: 3 })];
      expect(play(600, () => ({ alerts, recipients })).log).toEqual([
        '1 ben opened',
        '32 night escalated',
        '63 chef escalated',
        '480 anna opened',
      ]);
    });

    it('at once where one is and the others cannot be reached, over steps that are quiet, too', () => {
      const both = [person('anna', deaf), person('ben'), person('carl', { step: 2, ...deaf }), { ...night, step: 3 }];
      const { log } = play(60, () => ({ alerts, recipients: both }), { refused: (who) => who === 'ben' });
      expect(log).toEqual(['1 ben opened', '2 night escalated']);
      const later = [person('anna'), person('carl', { step: 2, ...deaf }), { ...night, step: 3 }];
      expect(play(60, () => ({ alerts, recipients: later })).log).toEqual(['1 anna opened', '32 night escalated']);
    });

    it('of the first to wake where all are quiet', () => {
      const longer = { quiet: { from_min: 13 * 60, to_min: 22 * 60 }, faults_break_through: false };
      const recipients = [person('anna', longer), { ...night, ...deaf }];
      expect(play(600, () => ({ alerts, recipients })).log).toEqual(['480 night escalated', '540 anna opened']);
    });
  });

  it('everybody anew when an alert gets worse', () => {
    const { log } = play(60, (minute) => ({
      alerts: [minute < 20 ? alert() : alert({ severity: 'fault', round: 2, raised_ms: T0 + 20 * MIN })],
      recipients: [person('anna')],
    }));
    expect(log).toEqual(['1 anna opened', '21 anna opened']);
  });

  it('a mirror of states of the acknowledgement, people not', () => {
    const recipients = [person('anna'), person('display', { channel: 'mqtt', mirrors: true })];
    const { log } = play(60, (minute) => ({
      alerts: [alert({ acknowledged_ms: minute >= 10 ? T0 + 10 * MIN : null })],
      recipients,
    }));
    expect(log).toEqual(['1 anna opened', '1 display opened', '12 display acknowledged']);
  });

  it('of a failing channel over the others only', () => {
    const recipients = [person('anna'), person('ben', { channel: 'hook' })];
    const alerts = [alert({ kind: 'channel_failing', object: 'mail', severity: 'fault' })];
    expect(play(10, () => ({ alerts, recipients })).log).toEqual(['1 ben opened']);
  });

  it('looks up the quiet hours once a recipient, however many alerts there are', () => {
    const quiet = { from_min: 22 * 60, to_min: 6 * 60 };
    const recipients = Array.from({ length: 20 }, (_, i) => person(`p${i}`, { quiet, step: 1 + (i % 3) }));
    const alerts = Array.from({ length: 500 }, (_, i) => alert({ id: `a${i}`, object: `m${i}` }));
    vi.mocked(quietUntil).mockClear();
    play(0, () => ({ alerts, recipients }));
    expect(quietUntil).toHaveBeenCalledTimes(20);
  });

  it('says until when nothing is due, and plans in parts as in one go (property)', () => {
    const anyTold = fc.record({
      recipient: fc.constantFrom('p0', 'p1', 'p2'),
      what: fc.constantFrom('opened', 'escalated', 'repeated', 'solved', 'acknowledged' as const),
      at: fc.integer({ min: 0, max: 90 }),
      state: fc.constantFrom('sent', 'refused', 'waiting'),
    });
    const anyAlert = fc.record({
      severity: fc.constantFrom('info', 'warning', 'fault' as const),
      raised: fc.integer({ min: 0, max: 100 }),
      state: fc.constantFrom('open', 'open', 'seen', 'over'),
      told: fc.array(anyTold, { maxLength: 5 }),
    });
    const anyPerson = fc.record({
      step: fc.integer({ min: 1, max: 3 }),
      min_severity: fc.constantFrom('info', 'warning', 'fault' as const),
      repeat_min: fc.constantFrom(null, 40),
      faults_break_through: fc.boolean(),
      // From half past one: one that ends soon, and one that lasts.
      quiet: fc.constantFrom(null, { from_min: 780, to_min: 900 }, { from_min: 800, to_min: 1300 }),
    });
    fc.assert(
      fc.property(
        fc.array(anyAlert, { minLength: 1, maxLength: 6 }),
        fc.array(anyPerson, { minLength: 3, maxLength: 3 }),
        (stories, people) => {
          const recipients = people.map((one, i) => person(`p${i}`, one));
          const alerts = stories.map(({ severity, raised, state }, i) =>
            alert({
              ...{ id: `a${i}`, object: `m${i}`, severity, raised_ms: T0 + raised * MIN },
              closed_ms: state === 'over' ? T0 + 100 * MIN : null,
              acknowledged_ms: state === 'seen' ? T0 + 100 * MIN : null,
            }),
          );
          const told = stories.flatMap((story, i) =>
            story.told.map(({ recipient, what, at, state }, n): Told => {
              const how = { sent: state === 'sent', refused: state === 'refused' };
              return { alert: `a${i}`, recipient, round: 1, what, n, at_ms: T0 + at * MIN, ...how };
            }),
          );
          const inputAt = (now_ms: number) => {
            const rules = { group_s: 60, escalate_min: 30 };
            return { now_ms, time_zone: 'Europe/Berlin', rules, recipients, messages: [] };
          };
          const now_ms = T0 + 100 * MIN;
          const planning = createPlanning(inputAt(now_ms));
          for (const one of alerts)
            planning.add(
              [one],
              told.filter(({ alert: id }) => id === one.id),
            );
          const plan = planning.finish();
          expect(plan.messages).toEqual(planMessages({ ...inputAt(now_ms), alerts, told }));
          if (plan.messages.length > 0) return;
          for (let at_ms = now_ms; at_ms < Math.min(plan.next_ms, T0 + 700 * MIN); at_ms += 7 * MIN)
            expect(planMessages({ ...inputAt(at_ms), alerts, told })).toEqual([]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('never the same twice and nothing left out, whatever happens (property)', () => {
    const anyAlert = fc.record({
      id: fc.uuid(),
      severity: fc.constantFrom('info', 'warning', 'fault' as const),
      raised: fc.integer({ min: 0, max: 200 }),
      lasts: fc.option(fc.integer({ min: 0, max: 200 })),
      seen: fc.option(fc.integer({ min: 0, max: 200 })),
    });
    const anyPerson = fc.record({
      step: fc.integer({ min: 1, max: 3 }),
      min_severity: fc.constantFrom('info', 'warning', 'fault' as const),
      quiet: fc.option(fc.constantFrom({ from_min: 780, to_min: 900 }, { from_min: 840, to_min: 870 })),
    });
    fc.assert(
      fc.property(
        fc.array(anyAlert, { maxLength: 8 }),
        fc.array(anyPerson, { minLength: 1, maxLength: 4 }),
        (stories, people) => {
          const recipients = people.map((one, i) => person(`p${i}`, one));
          const alertsAt = (minute: number) =>
            stories
              .filter(({ raised }) => raised <= minute)
              .map(({ id, severity, raised, lasts, seen }) => {
                const closed = lasts === null ? null : raised + lasts;
                const acknowledged = seen === null ? null : raised + seen;
                return alert({
                  ...{ id, severity, object: id, raised_ms: T0 + raised * MIN },
                  closed_ms: closed !== null && closed <= minute ? T0 + closed * MIN : null,
                  acknowledged_ms: acknowledged !== null && acknowledged <= minute ? T0 + acknowledged * MIN : null,
                });
              });
          const { told } = play(600, (minute) => ({ alerts: alertsAt(minute), recipients }), { step_min: 2 });
          const keys = told.map(({ alert: id, recipient, what, n, round }) => [id, recipient, what, n, round].join());
          expect(new Set(keys).size).toBe(keys.length);
          for (const { id, severity, lasts, seen } of stories) {
            const mine = told.filter((one) => one.alert === id);
            const hears = recipients.some(
              ({ min_severity: least }) => least === 'info' || severity === 'fault' || severity === least,
            );
            // What stays open and unseen reaches everybody whom it concerns.
            if (lasts === null && seen === null) expect(mine.some(({ what }) => what === 'opened')).toBe(hears);
            for (const over of mine.filter(({ what }) => what === 'solved'))
              expect(mine.some(({ what, recipient }) => what !== 'solved' && recipient === over.recipient)).toBe(true);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
