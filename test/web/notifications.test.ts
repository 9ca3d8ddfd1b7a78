/** Alerts and the notification settings as pages: what is shown, typed, refused and answered. */
import { describe, expect, it } from 'vitest';
import { InvalidDataError } from '../../engine/errors.ts';
import type { Services } from '../../gateway/services.ts';
import { en } from '../../web/i18n/en.ts';
import { CSRF, createSampleApp } from './sample-app.ts';
import { createSampleServices } from './sample-services.ts';

type App = ReturnType<typeof createSampleApp>;
const sample = createSampleServices();
const appOf = (replace: Partial<Services> = {}, options: Parameters<typeof createSampleApp>[1] = {}) =>
  createSampleApp(createSampleServices({ replace }), options);
async function send(app: App, path: string, fields: Record<string, string>) {
  const answer = await app.request(path, { method: 'POST', body: new URLSearchParams({ _csrf: CSRF, ...fields }) });
  return { status: answer.status, to: answer.headers.get('location'), text: await answer.text() };
}
const see = async (app: App, path: string) => (await app.request(path)).text();
const ADMIN = '/admin/notifications';

describe('alerts on pages', () => {
  it('stand as open, acknowledged and over, each with what to do', async () => {
    const text = await see(appOf(), '/alerts');
    for (const part of [
      'Server room has been silent',
      'Check that the meter has power',
      'Acknowledged by anna',
      'No new prices for DE-LU',
    ])
      expect(text).toContain(part);
  });

  it('are acknowledged by a button, once, by any role', async () => {
    const app = appOf({}, { role: 'user' });
    expect(await send(app, '/alerts/al-open/acknowledge', {})).toMatchObject({ status: 303, to: '/alerts' });
    expect(await see(app, '/alerts')).not.toContain('action="/alerts/al-open/acknowledge"');
    expect((await send(app, '/alerts/none/acknowledge', {})).status).toBe(404);
    expect((await app.request('/alerts/al-open/acknowledge', { method: 'POST' })).status).toBe(403);
  });

  it('say on their own page who was told when, and what came of it', async () => {
    const text = await see(appOf(), '/alerts/al-open');
    for (const part of ['Anna over Mail', 'Delivered', '250 2.0.0 Ok', 'Waiting; next try', '3 tries'])
      expect(text).toContain(part);
    expect(await see(appOf(), '/alerts/al-over')).toContain('Nobody outside of these pages');
    expect((await appOf().request('/alerts/none')).status).toBe(404);
  });

  it('about what is unusual ask whether it was expected, and pass the answer on', async () => {
    const [first] = await sample.alerts.list('default');
    const detail = { anomaly: 'an-1', energy_kWh: 42, amount: 10.5, currency: 'EUR', cause: 'left_on' };
    const unusual = { ...first!, id: 'al-unusual', kind: 'anomaly' as const, detail };
    const alerts = { ...sample.alerts, get: async () => unusual };
    let verdict: 'expected' | 'real' | null = null;
    const anomalies = {
      get: async () => ({ verdict }),
      judge: async (_: unknown, id: string, said: 'expected' | 'real') => {
        expect(id).toBe('an-1');
        verdict = said;
      },
    } as unknown as Services['anomalies'];
    const app = appOf({ alerts, anomalies }, { role: 'user' });
    const text = await see(app, '/alerts/al-unusual');
    expect(text).toMatch(
      /is unusual since .*42.*kWh more than forecast \(.*10\.50.*\)\. Likeliest: something was left on/,
    );
    expect(text).toContain('action="/alerts/al-unusual/verdict"');
    const answer = await send(app, '/alerts/al-unusual/verdict', { verdict: 'expected' });
    expect(answer).toMatchObject({ status: 303, to: '/alerts/al-unusual' });
    expect(await see(app, '/alerts/al-unusual')).toContain('value="expected" aria-pressed="true"');
    expect((await send(app, '/alerts/al-unusual/verdict', { verdict: 'no' })).status).toBe(400);
    expect(await see(appOf(), '/alerts/al-open')).not.toContain('/verdict"');
  });

  it('warn when they reach nobody', async () => {
    const notify = { ...sample.notify, recipients: async () => [] };
    expect(await see(appOf({ notify }), '/alerts')).toContain('reach nobody outside of these pages');
    expect(await see(appOf(), '/alerts')).not.toContain('reach nobody');
  });

  it('stand on Now, the worst first', async () => {
    expect(await see(appOf(), '/')).toMatch(/1 open alert: The meter Server room has been silent/);
  });
});

describe('kinds of alerts', () => {
  it('each say what happened, in short, and what to do', () => {
    const of = (group: string) =>
      Object.keys(en)
        .filter((key) => key.startsWith(`${group}.`))
        .map((key) => key.slice(group.length + 1))
        .sort();
    expect(of('alert')).toContain('clock_wrong');
    expect(of('alert_kind')).toEqual(of('alert'));
    expect(of('alert_todo')).toEqual(of('alert'));
  });
});

describe('notification settings', () => {
  it('show channels, recipients, order, quiet hours and the last messages, but to admins only and no secret', async () => {
    const text = await see(appOf(), ADMIN);
    for (const part of ['does not deliver', 'HTTP 503', 'Step 2', 'quiet 22:00 to 06:00', 'Anna over Mail'])
      expect(text).toContain(part);
    expect(text).not.toMatch(/type="password" value="[^"]/);
    expect((await appOf({}, { role: 'analyst' }).request(ADMIN)).status).toBe(403);
  });

  it('say what came of a test message, well or not', async () => {
    const well = await send(appOf(), `${ADMIN}/channels/ch-mail/test`, { to: 'anna@example.org' });
    expect(well.text).toMatch(/Mail took the test message after 812.ms\. It said: 250/);
    const failed = await send(appOf(), `${ADMIN}/channels/ch-hook/test`, {});
    expect(failed.text).toContain('Control room did not take the test message. The address control.example.org');
  });

  it('keep what was typed when it is refused, beside what is wrong, but no password', async () => {
    const fields = {
      kind: 'email',
      name: 'Mail 2',
      host: 'http://mail',
      port: '70000',
      security: 'tls',
      from: 'x',
      secret: 'sesame',
      enabled: 'yes',
    };
    const { status, text } = await send(appOf(), `${ADMIN}/channels`, fields);
    expect(status).toBe(400);
    expect(text).toContain('value="http://mail"');
    expect(text).toMatch(/id="host-email-error"/);
    expect(text).toMatch(/id="port-email-error"/);
    expect(text).not.toContain('sesame');
  });

  it.each([
    ['22:00', '', 'quiet_to'],
    ['25:00', '06:00', 'quiet_from'],
    ['late', 'early', 'quiet_to'],
  ])('refuse quiet hours from %j to %j', async (quiet_from, quiet_to, wrong) => {
    const fields = {
      name: 'Ben',
      channel: 'ch-mail',
      address: 'b@example.org',
      step: '1',
      language: 'de',
      quiet_from,
      quiet_to,
    };
    const { status, text } = await send(appOf(), `${ADMIN}/recipients`, fields);
    expect(status).toBe(400);
    expect(text).toContain(`id="recipient-${wrong}-new-error"`);
    expect(text).toContain('value="Ben"');
  });

  it('hand over what was typed as the service takes it', async () => {
    const got: unknown[] = [];
    const notify = {
      ...sample.notify,
      saveRecipient: async (_: unknown, input: object) => {
        got.push(input);
        return { id: 'x' };
      },
      saveRules: async (_: unknown, rules: object) => {
        got.push(rules);
        throw new InvalidDataError('No.', 'Mend it.', [{ where: 'group_s', problem: 'is odd' }]);
      },
    };
    const fields = {
      name: ' Ben ',
      channel: 'ch-mail',
      address: 'b@example.org',
      step: '2',
      language: 'de',
      quiet_from: '22:00',
      quiet_to: '6:30',
      enabled: 'yes',
    };
    expect((await send(appOf({ notify }), `${ADMIN}/recipients`, fields)).to).toBe(`${ADMIN}?saved`);
    expect(got).toEqual([
      {
        ...{ name: 'Ben', channel: 'ch-mail', address: 'b@example.org', step: 2, language: 'de', enabled: true },
        ...{ quiet: { from_min: 1320, to_min: 390 }, faults_break_through: false },
      },
    ]);
    expect((await send(appOf({ notify }), `${ADMIN}/rules`, { group_s: '1', escalate_min: '' })).text).toContain(
      'is odd',
    );
  });

  it('show a signing secret that the box made once', async () => {
    const app = appOf();
    const fields = { kind: 'webhook', name: 'Hook', url: 'https://example.org/x', enabled: 'yes' };
    const { to } = await send(app, `${ADMIN}/channels`, fields);
    expect(await see(app, to!)).toContain('whsec_');
    expect(await see(app, to!)).not.toContain('whsec_');
  });
});
