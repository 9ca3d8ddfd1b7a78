import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PlannedAlert, planMessages, type Severity, type Told } from '../../../engine/alerts/plan.ts';
import type { Sql } from '../../../engine/ports.ts';
import { planRound, type RoundInput } from '../../../gateway/services/notify/outbox.ts';
import type { Channel, Recipient } from '../../../gateway/services/notify/settings.ts';
import { openReceiver } from '../../connectors/notify/smtp-receiver.ts';
import { openTestDatabase, type TestDatabase } from '../../setup/database.ts';
import { untilStill } from '../../setup/until.ts';
import { createNotifyRig, mailTo } from './notify-rig.ts';

const T = 'default';
const MIN = 60_000;
const T0 = Date.parse('2026-03-10T12:00:00Z');
const RULES = { group_s: 60, escalate_min: 30 };

/** Random, and the same in every run. */
function randomOf(seed: number) {
  let state = seed;
  return (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe('rounds of notifications', () => {
  let test: TestDatabase;
  let rows: number[] = [];
  /** Counts the rows of each answer. */
  const counted =
    (sql: Sql): Sql =>
    async (text, values) => {
      const found = await sql(text, values);
      rows.push(found.length);
      return found as never;
    };
  beforeAll(async () => {
    test = await openTestDatabase();
    await test.db.asSystem((sql) =>
      sql(`insert into tenant (id, name) values ('default', 'd') on conflict do nothing`),
    );
  });
  beforeEach(async () => {
    rows = [];
    await test.db.asTenant(T, async (sql) => {
      for (const table of ['notify_channel', 'notify_message', 'alert']) await sql(`delete from ${table}`);
    });
  });
  afterAll(() => test.close());

  const channel = (id: number, change: Partial<Channel>) =>
    ({
      ...{ id: `00000000-0000-4000-8000-00000000000${id}`, name: `c${id}`, kind: 'email', enabled: true },
      ...{ min_severity: 'warning', repeat_min: null },
      ...change,
    }) as Channel;
  const recipient = (id: number, change: Partial<Recipient>) =>
    ({
      ...{ id: `00000000-0000-4000-9000-00000000000${id}`, name: `p${id}`, step: 1, quiet: null, enabled: true },
      ...{ faults_break_through: true, language: 'en', address: null },
      ...change,
    }) as Recipient;
  const raise = (sql: Sql, count: number, at_ms: number, severity: Severity = 'warning') =>
    sql(
      `insert into alert (tenant_id, kind, object, severity, opened_at, raised_at)
       select 'default', 'meter_silent', $1 || i, $2, $3, $3 from generate_series(1, $4) as i`,
      [`m${at_ms}-`, severity, new Date(at_ms), count],
    );

  it('tell what a plan over everything would tell, whatever happened before', async () => {
    const random = randomOf(4);
    const channels = [
      channel(1, {}),
      channel(2, { kind: 'mqtt', min_severity: 'info' } as Partial<Channel>),
      channel(3, { repeat_min: 20, min_severity: 'fault' }),
    ];
    const quiet = { from_min: 13 * 60 + 20, to_min: 15 * 60 };
    const recipients = [
      recipient(1, { channel: channels[0]!.id, quiet, faults_break_through: false }),
      recipient(2, { channel: channels[0]!.id, step: 2 }),
      recipient(3, { channel: channels[1]!.id }),
      recipient(4, { channel: channels[2]!.id, step: 3 }),
    ];
    let written = 0;
    for (let minute = 0; minute < 200; minute += 2) {
      const now_ms = T0 + minute * MIN;
      await test.db.asTenant(T, async (sql) => {
        const severities = ['info', 'warning', 'fault'] as const;
        if (random(3) === 0) await raise(sql, 1 + random(3), now_ms, severities[random(3)]!);
        const at = new Date(now_ms);
        const some = `id in (select id from alert where closed_at is null order by md5(id::text || $2) limit 1)`;
        if (random(4) === 0) await sql(`update alert set closed_at = $1 where ${some}`, [at, `${minute}`]);
        if (random(5) === 0)
          await sql(`update alert set acknowledged_at = $1, acknowledged_by = 'a' where ${some}`, [at, `${minute}`]);
        if (random(9) === 0)
          await sql(
            `update alert set severity = 'fault', round = round + 1, raised_at = $1, acknowledged_at = null where ${some}`,
            [at, `${minute}`],
          );
        // What was made is delivered, refused, given up, or waits on.
        await sql(
          `update notify_message set state = ($1::text[])[1 + abs(hashtext(id::text)) % 4],
             refused = abs(hashtext(id::text)) % 7 = 0 where state = 'waiting' and made_at < $2`,
          [['sent', 'sent', 'waiting', 'given up'], at],
        );
      });
      const input: RoundInput = { tenant: T, now_ms, time_zone: 'Europe/Berlin', rules: RULES, channels, recipients };
      const expected = await test.db.asTenant(T, (sql) => wholePlan(sql, input));
      await test.db.asTenant(T, (sql) => planRound(sql, input));
      const made = await test.db.asTenant(T, (sql) => itemsMadeAt(sql, now_ms));
      expect(made).toEqual(expected);
      written += made.length;
    }
    expect(written).toBeGreaterThan(150);
  });

  it('read no alert of which nobody is to be told anything, and many in parts', async () => {
    const channels = [channel(1, {})];
    const recipients = [recipient(1, { channel: channels[0]!.id }), recipient(2, { channel: channels[0]!.id })];
    const input = { tenant: T, time_zone: 'UTC', rules: RULES, channels, recipients };
    // Instants of the database are finer than ours.
    await test.db.asTenant(T, async (sql) => {
      await raise(sql, 1000, T0);
      await sql(`update alert set raised_at = raised_at + interval '1 microsecond' * (abs(hashtext(object)) % 900)`);
    });
    const round = (minute: number) =>
      test.db.asTenant(T, (sql) => {
        rows = [];
        return planRound(counted(sql), { ...input, now_ms: T0 + minute * MIN });
      });
    expect(await round(0)).toEqual({ made: 0, next_ms: T0 + MIN });
    expect(Math.max(...rows)).toBeLessThanOrEqual(250);
    expect((await round(2)).made).toBe(2);
    await test.db.asTenant(T, (sql) => sql(`update notify_message set state = 'sent'`));
    const after = await test.db.asTenant(T, (sql) => itemsMadeAt(sql, T0 + 2 * MIN));
    expect(after).toHaveLength(2000);
    expect(await round(4)).toEqual({ made: 0, next_ms: Number.POSITIVE_INFINITY });
    // The lock and the two messages of the last hour.
    expect(rows.reduce((sum, n) => sum + n, 0)).toBe(3);
    await test.db.asTenant(T, (sql) => sql('update alert set closed_at = $1', [new Date(T0 + 5 * MIN)]));
    expect((await round(10)).made).toBe(2);
    await test.db.asTenant(T, (sql) => sql(`update notify_message set state = 'sent'`));
    await round(12);
    expect(rows.reduce((sum, n) => sum + n, 0)).toBe(5);
  });

  it('plan only when something changed or is due', async () => {
    let plans = 0;
    const asTenant: typeof test.db.asTenant = (tenant, work) =>
      test.db.asTenant(tenant, (sql) =>
        work(((text: string, values?: readonly unknown[]) => {
          if (text.includes('pg_advisory_xact_lock')) plans++;
          return sql(text, values);
        }) as Sql),
      );
    const rig = createNotifyRig({ ...test.db, asTenant });
    const receiver = await openReceiver();
    await rig.start();
    try {
      await mailTo(rig, receiver.port);
      await untilStill(() => plans, 800, 'the plans that the new channel needs');
      plans = 0;
      // Ten rounds and more.
      await sleep(1700);
      expect(plans).toBe(0);
      await rig.alerts.raise(T, 'prices_stale', 'DE-LU', 'warning');
      await expect.poll(() => receiver.mails.length, { timeout: 20_000 }).toBe(1);
    } finally {
      await rig.stop();
      await receiver.close();
    }
  });
});

/** What is to be told by everything that there is, in one go. */
async function wholePlan(sql: Sql, input: RoundInput): Promise<string[]> {
  const { now_ms, time_zone, rules, channels, recipients } = input;
  type Row = { [column in 'raised_ms' | 'closed_ms' | 'acknowledged_ms']: string | null };
  const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::bigint`;
  const alerts = await sql<Omit<PlannedAlert, keyof Row> & Row>(
    `select id, kind, object, severity, round, ${ms('raised_at')} as raised_ms, ${ms('closed_at')} as closed_ms,
       ${ms('acknowledged_at')} as acknowledged_ms from alert order by raised_at, id`,
  );
  const told = await sql<Omit<Told, 'at_ms'> & { at_ms: string }>(
    `select i.alert_id as alert, i.recipient_id as recipient, i.round, i.what, i.n, ${ms('m.made_at')} as at_ms,
       m.state = 'sent' as sent, m.refused or m.state = 'given up' as refused
     from notify_item i join notify_message m on m.id = i.message_id`,
  );
  const messages = await sql<{ recipient: string; severity: Severity; at_ms: string }>(
    `select recipient_id as recipient, severity, ${ms('made_at')} as at_ms from notify_message`,
  );
  const number = (text: string | null) => (text === null ? null : Number(text));
  const plan = planMessages({
    ...{ now_ms, time_zone, rules },
    alerts: alerts.map((one) => ({
      ...one,
      raised_ms: Number(one.raised_ms),
      closed_ms: number(one.closed_ms),
      acknowledged_ms: number(one.acknowledged_ms),
    })),
    recipients: recipients.map((one) => {
      const { kind, min_severity, repeat_min } = channels.find(({ id }) => id === one.channel)!;
      return { ...one, mirrors: kind === 'mqtt', min_severity, repeat_min };
    }),
    told: told.map((one) => ({ ...one, at_ms: Number(one.at_ms) })),
    messages: messages.map((one) => ({ ...one, at_ms: Number(one.at_ms) })),
  });
  return plan
    .flatMap(({ recipient, items }) =>
      items.map((item) => [recipient, item.alert, item.round, item.what, item.n].join()),
    )
    .sort();
}

async function itemsMadeAt(sql: Sql, now_ms: number): Promise<string[]> {
  const items = await sql<{ recipient_id: string; alert_id: string; round: number; what: string; n: number }>(
    `select i.* from notify_item i join notify_message m on m.id = i.message_id where m.made_at = $1`,
    [new Date(now_ms)],
  );
  return items.map((one) => [one.recipient_id, one.alert_id, one.round, one.what, one.n].join()).sort();
}
