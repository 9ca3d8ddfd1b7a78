import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../engine/errors.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { createJobService, DEAD_LETTER } from '../../../gateway/services/jobs.ts';
import type { JobService } from '../../../gateway/services.ts';
import { openTestDatabase, silent, type TestDatabase } from '../../setup/database.ts';
import { until as waitUntil } from '../../setup/until.ts';

describe('job service', () => {
  let test: TestDatabase;
  const started: JobService[] = [];
  const open = (ask_every_s = 0.5) => {
    const { connection } = test.db;
    const service = createJobService({
      ...{ db: test.db, connection, log: silent, clock: Date, metrics: createMetrics({ defaults: false }) },
      pace: { retry_delay_s: 1, ask_every_s },
    });
    started.push(service);
    return service;
  };
  const until = (condition: () => boolean | Promise<boolean>) => waitUntil(condition, 'what the job does');
  beforeAll(async () => {
    test = await openTestDatabase();
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((service) => service.stop()));
    await test.db.asSystem((sql) => sql('delete from pgboss.job'));
  });
  afterAll(() => test.close());

  it('hands a payload to its handler within a moment, without being asked often', async () => {
    // Who had to ask would hear of it after two minutes.
    const jobs = open(120);
    const got: unknown[] = [];
    jobs.define('work', async (payload) => void got.push(payload));
    await expect(jobs.send('work', {})).rejects.toThrow(UnavailableError);
    await jobs.start();
    await jobs.send('work', { meters: ['a', 'b'], n: 1 });
    await until(() => got.length === 1);
    expect(got).toEqual([{ meters: ['a', 'b'], n: 1 }]);
    await expect(jobs.send('other', {})).rejects.toThrow(/no queue other/);
  });

  it('runs what was put off while the clock was ahead by years, and what waits behind it', async () => {
    const before = open();
    before.define('work', async () => {});
    await before.start();
    await before.stop();
    // As a retry of that time left it; of a queue that holds one waiting job a key.
    const insert = `insert into pgboss.job (name, data, singleton_key, policy, start_after, keep_until, created_on)
      select name, '{"n":1}', 'key', policy, now() + interval '10 years', now() + interval '11 years', now() + interval '10 years'
        from pgboss.queue where name = 'work'`;
    await test.db.asSystem((sql) => sql(insert));
    const jobs = open();
    const got: unknown[] = [];
    jobs.define('work', async (payload) => void got.push(payload));
    await jobs.start();
    await until(() => got.length === 1);
    await jobs.send('work', { n: 2 }, { dedupe: 'key' });
    await until(() => got.length === 2);
    expect(got).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it('retries what throws, and shows it as failed until the queue works again', async () => {
    const jobs = open();
    let tries = 0;
    let broken = true;
    jobs.define(
      'shaky',
      async () => {
        tries++;
        if (broken) throw new Error(`try ${tries}`);
      },
      { retries: 1 },
    );
    await jobs.start();
    await jobs.send('shaky', { id: 7 });
    const state = async () => (await jobs.depth()).find(({ name }) => name === 'shaky')!;
    await until(async () => (await state()).failed === 1);
    expect(tries).toBe(2);
    const dead = await test.db.asSystem((sql) => sql('select data from pgboss.job where name = $1', [DEAD_LETTER]));
    expect(dead).toEqual([{ data: { id: 7 } }]);
    broken = false;
    await jobs.send('shaky', { id: 8 });
    await until(async () => (await state()).failed === 0);
    expect(await state()).toEqual({ name: 'shaky', waiting: 0, active: 0, failed: 0 });
  });

  it('keeps one waiting job per dedupe key, and a new one while the former runs', async () => {
    const jobs = open();
    const got: unknown[] = [];
    let release = () => {};
    const gate = new Promise<void>((done) => {
      release = done;
    });
    jobs.define<{ n: number }>('once', async ({ n }) => {
      got.push(n);
      await gate;
    });
    await jobs.start();
    await jobs.send('once', { n: 1 }, { dedupe: 'load' });
    await until(() => got.length === 1);
    for (const n of [2, 3, 4]) await jobs.send('once', { n }, { dedupe: 'load' });
    await jobs.send('once', { n: 5 });
    await jobs.send('once', { n: 6 });
    expect(await jobs.depth()).toEqual([{ name: 'once', waiting: 3, active: 1, failed: 0 }]);
    release();
    await until(() => got.length === 4);
    expect(got).toEqual([1, 2, 5, 6]);
  });

  it('waits before a delayed job', async () => {
    const jobs = open();
    let at_ms = 0;
    jobs.define('later', async () => {
      at_ms = Date.now();
    });
    await jobs.start();
    const sent_ms = Date.now();
    await jobs.send('later', {}, { delay_s: 1 });
    await until(() => at_ms > 0);
    expect(at_ms - sent_ms).toBeGreaterThan(900);
  });

  it('runs every so many seconds, beginning at once, and never piles up', async () => {
    const jobs = open();
    let runs = 0;
    jobs.define('tick', async () => {
      runs++;
      await sleep(1500);
    });
    jobs.schedule('tick', { seconds: 0.2 }, {});
    await jobs.start();
    await until(() => runs === 2);
    const [depth] = await jobs.depth();
    expect(depth!.waiting).toBeLessThanOrEqual(1);
  });

  it('keeps cron lines in the database and drops those that are gone', async () => {
    const first = open();
    first.define('night', async () => {});
    first.schedule('night', { cron: '0 3 * * *' }, { tenant: 'default' });
    first.schedule('night', { cron: '0 4 * * *' }, { tenant: 'other' });
    await first.start();
    const lines = () => test.db.asSystem((sql) => sql('select cron, data from pgboss.schedule order by cron'));
    await until(async () => (await lines()).length === 2);
    await first.stop();
    const second = open();
    second.define('night', async () => {});
    second.schedule('night', { cron: '0 3 * * *' }, { tenant: 'default' });
    await second.start();
    expect(await lines()).toEqual([{ cron: '0 3 * * *', data: { tenant: 'default' } }]);
  });

  it('tells a running job to stop, closes soon, and goes on with it after the next start', async () => {
    const jobs = open();
    const running = Promise.withResolvers<AbortSignal>();
    jobs.define('long', async (_, signal) => {
      running.resolve(signal);
      await once(signal, 'abort');
      signal.throwIfAborted();
    });
    await jobs.start();
    await jobs.send('long', { id: 1 });
    await running.promise;
    const begun = performance.now();
    await jobs.stop();
    expect(performance.now() - begun).toBeLessThan(2500);
    const again = open();
    const got: unknown[] = [];
    again.define('long', async (payload) => void got.push(payload));
    await again.start();
    await until(() => got.length === 1);
    expect(got).toEqual([{ id: 1 }]);
  });

  it('stops a job that takes longer than it may', async () => {
    const jobs = open();
    let reason: unknown;
    jobs.define(
      'slow',
      async (_, signal) => {
        await once(signal, 'abort');
        reason = signal.reason;
      },
      { timeout_s: 1, retries: 0 },
    );
    await jobs.start();
    await jobs.send('slow', {});
    await until(() => reason !== undefined);
    await until(async () => (await jobs.depth())[0]!.failed === 1);
  });
});
