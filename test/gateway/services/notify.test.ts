import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import { openReceiver, type Receiver } from '../../connectors/notify/smtp-receiver.ts';
import { openTestDatabase, type TestDatabase } from '../../setup/database.ts';
import { ADMIN, createNotifyRig, mailTo } from './notify-rig.ts';

const T = 'default';
const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';
const LONG = { timeout: 20_000 };

describe('notifications', () => {
  let test: TestDatabase;
  let rig: ReturnType<typeof createNotifyRig>;
  let receiver: Receiver;
  const published: string[] = [];
  beforeAll(async () => {
    test = await openTestDatabase();
    await test.db.asSystem((sql) =>
      sql(`insert into tenant (id, name) values ('default', 'd'), ('other', 'o') on conflict do nothing`),
    );
  });
  beforeEach(async () => {
    receiver = await openReceiver();
    rig = createNotifyRig(test.db, { published });
    await rig.start();
  });
  afterEach(async () => {
    await rig.stop();
    await receiver.close();
    published.length = 0;
    await test.db.asTenant(T, async (sql) => {
      for (const table of ['notify_channel', 'notify_message', 'alert', 'audit']) {
        if (table !== 'audit') await sql(`delete from ${table}`);
      }
    });
    await test.db.asSystem((sql) => sql('delete from pgboss.job'));
  });
  afterAll(() => test.close());
  const mailsTo = (name: string) => receiver.mails.filter(({ to }) => to.includes(`${name}@example.org`));

  it('tell who is to be told: what, since when, what to do, where; and that it is over', async () => {
    await mailTo(rig, receiver.port, { name: 'anna' });
    await mailTo(rig, receiver.port, { name: 'ben', language: 'de' });
    await rig.alerts.raise(T, 'series_store_down', 'series store', 'fault');
    await expect.poll(() => receiver.mails.length, LONG).toBe(2);
    const [mail] = mailsTo('anna');
    expect(mail!.text).toMatch(/Subject: default: The series store does not take readings since \d\d:\d\d/);
    expect(mail!.text).toContain('What to do: Look under Admin, Health');
    const [{ id } = { id: '' }] = await rig.alerts.list(T);
    expect(mail!.text).toContain(`http://box.example:8080/alerts/${id}`);
    expect(mailsTo('ben')[0]!.text).toContain('Was zu tun ist: Schauen Sie unter Verwaltung');
    await rig.alerts.clear(T, 'series_store_down', 'series store');
    await expect.poll(() => receiver.mails.length, LONG).toBe(4);
    expect(mailsTo('anna')[1]!.text).toMatch(/Subject: default: over: The series store/);
    expect(await rig.notify.told(T, id)).toMatchObject([
      { what: 'opened', recipient_name: 'anna', state: 'sent', tries: 1 },
      { what: 'opened', recipient_name: 'ben', state: 'sent' },
      { what: 'solved', recipient_name: 'anna' },
      { what: 'solved', recipient_name: 'ben' },
    ]);
  });

  it('gather 1,000 alerts of one cause into one message', async () => {
    await test.db.asTenant(T, (sql) =>
      sql(
        `insert into alert (tenant_id, kind, object, severity, opened_at, raised_at)
         select 'default', 'meter_silent', 'm' || i, 'warning', now(), now() from generate_series(1, 1000) as i`,
      ),
    );
    await mailTo(rig, receiver.port);
    await expect.poll(() => receiver.mails.length, LONG).toBe(1);
    expect(receiver.mails[0]!.text).toContain('default: 1000 alerts (meter silent 1000)');
    expect(receiver.mails[0]!.text).toContain('… and 995 more.');
    await sleep(600);
    expect(receiver.mails).toHaveLength(1);
  });

  it('try again what the mail server could not take, and write down each attempt', async () => {
    receiver.behave('busy');
    await mailTo(rig, receiver.port);
    await rig.alerts.raise(T, 'prices_stale', 'DE-LU', 'warning');
    await expect.poll(async () => (await rig.notify.messages(T, 5))[0]?.tries ?? 0, LONG).toBeGreaterThanOrEqual(3);
    expect((await rig.notify.messages(T, 5))[0]).toMatchObject({
      state: 'waiting',
      outcome: expect.stringMatching(/cannot take the message now.*451/),
    });
    const failing = async () =>
      (await rig.alerts.list(T, { open_only: true })).some(({ kind }) => kind === 'channel_failing');
    await expect.poll(failing, LONG).toBe(true);
    receiver.behave('well');
    await expect.poll(() => receiver.mails.length, LONG).toBe(1);
    await expect.poll(failing, LONG).toBe(false);
    const attempts = await test.db.asTenant(T, (sql) =>
      sql<{ ok: boolean }>('select ok from notify_attempt order by n'),
    );
    expect(attempts.length).toBeGreaterThanOrEqual(4);
    expect(attempts.at(-1)!.ok).toBe(true);
  });

  it('go to the next step at once when a recipient is refused', async () => {
    const other = await openReceiver();
    await mailTo(rig, receiver.port, { name: 'nobody' });
    await mailTo(rig, other.port, { name: 'ben', step: 2 });
    await rig.alerts.raise(T, 'disk_full', 'disk', 'fault', { free_bytes: 1000 });
    await expect.poll(() => other.mails.some(({ text }) => text.includes('disk')), LONG).toBe(true);
    expect((await rig.notify.messages(T, 9)).find(({ recipient_name }) => recipient_name === 'nobody')).toMatchObject({
      state: 'waiting',
      outcome: expect.stringMatching(/No such mailbox/),
    });
    await other.close();
  });

  it('end with an acknowledgement, once, by name and time', async () => {
    await rig.alerts.raise(T, 'meter_stuck', 'm1', 'warning');
    const [{ id } = { id: '' }] = await rig.alerts.list(T);
    const before_ms = Date.now();
    expect(await rig.alerts.acknowledge(ADMIN, id)).toMatchObject({ acknowledged_by: 'anna' });
    const again = await rig.alerts.acknowledge({ ...ADMIN, person: 'ben' }, id);
    expect(again.acknowledged_by).toBe('anna');
    expect(again.acknowledged_ms).toBeGreaterThanOrEqual(before_ms - 5);
    await mailTo(rig, receiver.port);
    await sleep(800);
    expect(receiver.mails).toEqual([]);
    // Worse than what was acknowledged is news.
    await rig.alerts.raise(T, 'meter_stuck', 'm1', 'fault');
    await expect.poll(() => receiver.mails.length, LONG).toBe(1);
    await expect(rig.alerts.acknowledge({ ...ADMIN, tenant: 'other' }, id)).rejects.toThrow(NotFoundError);
    await expect(rig.alerts.acknowledge(ADMIN, 'nonsense')).rejects.toThrow(NotFoundError);
  });

  it('keep the state of each alert at the broker of the box, for the device that listens', async () => {
    const { id: channel } = await rig.notify.saveChannel(ADMIN, {
      ...{ name: 'display', kind: 'mqtt', settings: { broker: 'own', device: 'panel' }, min_severity: 'info' as const },
      ...{ repeat_min: null, enabled: true },
    });
    await rig.notify.saveRecipient(ADMIN, {
      ...{
        channel,
        name: 'panel',
        address: null,
        language: 'en' as const,
        step: 1,
        quiet: null,
        faults_break_through: true,
        enabled: true,
      },
    });
    await rig.notify.saveRules(ADMIN, { group_s: 0, escalate_min: 30 });
    await rig.alerts.raise(T, 'clock_wrong', 'clock', 'fault');
    const states = () =>
      published
        .filter((line) => line.includes('/clock_wrong/clock true'))
        .map((line) => /"state":"(\w+)"/.exec(line)?.[1]);
    await expect.poll(states, LONG).toEqual(['open']);
    expect(published[0]).toMatch(/^default alerts\/default\/panel\/clock_wrong\/clock true /);
    await rig.alerts.acknowledge(ADMIN, (await rig.alerts.list(T))[0]!.id);
    await expect.poll(states, LONG).toEqual(['open', 'acknowledged']);
    await rig.alerts.clear(T, 'clock_wrong', 'clock');
    await expect.poll(states, LONG).toEqual(['open', 'acknowledged', 'solved']);
  });

  it('seal secrets, never tell them, and forget a password when the server changes', async () => {
    const input = {
      ...{ name: 'mail', kind: 'email', min_severity: 'warning' as const, repeat_min: null, enabled: true },
      settings: {
        host: 'mail.example.org',
        port: 587,
        security: 'starttls',
        user: 'box',
        from: 'luna@example.org',
        ca_pem: null,
      },
    };
    const { id } = await rig.notify.saveChannel(ADMIN, { ...input, secret: 'sesame-7391' });
    const rows = await test.db.asTenant(T, (sql) => sql('select * from notify_channel'));
    const audit = await test.db.asTenant(T, (sql) => sql('select * from audit'));
    expect(JSON.stringify([rows, audit, await rig.notify.channels(T)])).not.toContain('sesame');
    await rig.notify.saveChannel(ADMIN, { ...input, name: 'renamed' }, id);
    expect((await rig.notify.channels(T))[0]).toMatchObject({ name: 'renamed', has_secret: true });
    await rig.notify.saveChannel(ADMIN, { ...input, settings: { ...input.settings, host: 'evil.example' } }, id);
    expect((await rig.notify.channels(T))[0]!.has_secret).toBe(false);
  });

  it.each([
    ['an e-mail channel sends it without encryption', { security: 'none' }],
    ['an e-mail channel believes another certificate', { ca_pem: PEM }],
    ['an e-mail channel goes to another port', { port: 25 }],
    ['a broker is spoken to without encryption', { broker: 'external', tls: false }],
    ['a broker is believed by another certificate', { broker: 'external', ca_pem: PEM }],
  ])('forget a password when %s', async (_, { broker, ...change }: { broker?: string; [setting: string]: unknown }) => {
    const common = { host: 'mail.example.org', port: 587, user: 'box', ca_pem: null };
    const settings = broker
      ? { ...common, broker, tls: true, prefix: 'x' }
      : { ...common, security: 'starttls', from: 'luna@example.org' };
    const input = {
      ...{ name: 'way', kind: broker ? 'mqtt' : 'email', settings, min_severity: 'warning' as const },
      ...{ repeat_min: null, enabled: true },
    };
    const { id } = await rig.notify.saveChannel(ADMIN, { ...input, secret: 'sesame-7391' });
    await rig.notify.saveChannel(ADMIN, { ...input, settings: { ...settings, user: 'box 2' } }, id);
    expect((await rig.notify.channels(T))[0]!.has_secret).toBe(true);
    await rig.notify.saveChannel(ADMIN, { ...input, settings: { ...settings, ...change } }, id);
    expect((await rig.notify.channels(T))[0]!.has_secret).toBe(false);
  });

  it('seal the address of a webhook: who has it may write there', async () => {
    const received: string[] = [];
    const server = createServer((request, response) => {
      received.push(request.url ?? '');
      response.end('ok');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const hook = {
      ...{ name: 'chat', kind: 'webhook', min_severity: 'warning' as const, repeat_min: null, enabled: true },
      settings: { url: `http://${host}/services/T0/B0/sesame-7391` } as object,
    };
    const stored = async () => {
      const rows = await test.db.asTenant(T, (sql) => sql('select * from notify_channel'));
      const audit = await test.db.asTenant(T, (sql) => sql(`select * from audit where object like 'chat%'`));
      return JSON.stringify([rows, audit, await rig.notify.channels(T)]);
    };
    const { id } = await rig.notify.saveChannel(ADMIN, hook);
    expect(await stored()).not.toContain('sesame');
    expect((await rig.notify.channels(T))[0]!.settings).toEqual({ host });
    expect(await rig.notify.test(ADMIN, id, null)).toMatchObject({ ok: true });
    // Left out on a change it stays; another one takes its place; and what is none is refused.
    await rig.notify.saveChannel(ADMIN, { ...hook, name: 'chat 2', settings: {} }, id);
    await rig.notify.test(ADMIN, id, null);
    await rig.notify.saveChannel(ADMIN, { ...hook, name: 'chat 3', settings: { url: `http://${host}/sesame-2` } }, id);
    await rig.notify.test(ADMIN, id, null);
    expect(received).toEqual(['/services/T0/B0/sesame-7391', '/services/T0/B0/sesame-7391', '/sesame-2']);
    await expect(rig.notify.saveChannel(ADMIN, { ...hook, name: 'new', settings: {} })).rejects.toThrow(
      InvalidDataError,
    );
    // A row of a former version is sealed at the start, and works before and after.
    const old = JSON.stringify({ url: `http://${host}/sesame-3` });
    await test.db.asTenant(T, (sql) => sql('update notify_channel set settings = $1', [old]));
    expect((await rig.notify.channels(T))[0]!.settings).toEqual({ host });
    expect(await rig.notify.test(ADMIN, id, null)).toMatchObject({ ok: true });
    rig.notify.stop();
    await rig.notify.start();
    expect(await stored()).not.toContain('sesame');
    expect(await rig.notify.test(ADMIN, id, null)).toMatchObject({ ok: true });
    expect(received.slice(3)).toEqual(['/sesame-3', '/sesame-3']);
    server.close();
  });

  it('say what a test message met, in words', async () => {
    const { channel } = await mailTo(rig, receiver.port);
    expect(await rig.notify.test(ADMIN, channel, 'anna@example.org')).toMatchObject({
      ok: true,
      text: expect.stringMatching(/^250/),
    });
    expect(receiver.mails[0]!.text).toContain('test message');
    expect(await rig.notify.test(ADMIN, channel, 'nobody@example.org')).toMatchObject({
      ok: false,
      text: expect.stringMatching(/refuses the recipient/),
    });
    await receiver.close();
    expect(await rig.notify.test(ADMIN, channel, 'anna@example.org')).toMatchObject({
      ok: false,
      text: expect.stringMatching(/nothing listens there/),
    });
    await expect(rig.notify.test({ ...ADMIN, tenant: 'other' }, channel, 'a@b.c')).rejects.toThrow(NotFoundError);
  });

  it.each([
    ['a port that is none', { settings: { port: 0 } }, 'port'],
    ['a host with a path', { settings: { host: 'http://mail/' } }, 'host'],
    ['an unknown field', { settings: { pass: 'x' } }, ''],
    ['a sender that is none', { settings: { from: 'a\r\nBcc: b@c.d' } }, 'from'],
    ['no name', { name: ' ' }, 'name'],
    ['an endless name', { name: 'x'.repeat(1000) }, 'name'],
    ['a repeat of each second', { repeat_min: 0 }, 'repeat_min'],
    ['another kind', { kind: 'pigeon' }, 'kind'],
  ])(
    'refuse %s and say where',
    async (_, {
      settings,
      ...change
    }: { settings?: object; kind?: string; name?: string; repeat_min?: number }, where) => {
      const good = {
        host: 'mail.example.org',
        port: 25,
        security: 'none',
        user: null,
        from: 'luna@example.org',
        ca_pem: null,
      };
      const input = {
        name: 'mail',
        kind: 'email',
        min_severity: 'warning' as const,
        repeat_min: null,
        enabled: true,
        ...change,
      };
      const error = await rig.notify.saveChannel(ADMIN, { ...input, settings: { ...good, ...settings } }).then(
        () => null,
        (e: InvalidDataError) => e,
      );
      expect(error).toBeInstanceOf(InvalidDataError);
      expect(error!.faults.map((fault) => fault.where).join()).toContain(where);
      expect(await rig.notify.channels(T)).toEqual([]);
    },
  );
});
