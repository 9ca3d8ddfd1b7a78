/** Somebody uses the box in a browser while everything is logged at the finest level: no secret is in any log or file. */
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import mqtt from 'mqtt';
import { generate } from 'otplib';
import type { Browser } from 'playwright-core';
import * as selfsigned from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openReceiver, type Receiver } from '../connectors/notify/smtp-receiver.ts';
import { type Box, startBox } from '../setup/box.ts';
import { hasChromium, launchChromium } from '../setup/chromium.ts';
import { type ExternalPostgres, startExternalPostgres } from '../setup/external-postgres.ts';
import { openVisitor, type Visitor } from './visitor.ts';

const GIVEN = {
  password: 'seven purple kettles 41',
  wrong_password: 'eight purple kettles 42',
  new_password: 'nine purple kettles 43',
  http_token: 'tokHttpDevice4f1c77',
  database: 'dbAppSecret8813',
  database_owner: 'dbOwnerSecret9924',
  broker: 'brokerSecret5512',
  entsoe: 'entsoeToken-6a7b',
  tibber: 'tibberToken-9c2d',
  ercot: 'ercotPassword-1e8f',
  ercot_key: 'ercotKey-77aa',
  smtp: 'smtpPassword-4411',
  smtp_off: 'smtpPassword-5522',
  webhook_path: 'T0Hook-B1Path-77c9e1',
  webhook_signing: `whsec_${Buffer.from('a signing key of 32 bytes, no less').toString('base64')}`,
  wrong_device_password: 'wrongDevicePassword66',
};
const CHANNELS = '/api/v1/notifications/channels';
/** Files that hold keys, and nothing else; the token of the set-up link is void by now. */
const KEYS = ['secret-key', 'audit-key', 'token-secret'];
const KEY_FILES = [...KEYS, 'setup-token'];

describe.skipIf(!hasChromium)('secrets of a browser run', () => {
  let postgres: ExternalPostgres;
  let source: Server;
  let receiver: Receiver;
  let pem: string;
  let box: Box;
  let browser: Browser;
  let anna: Visitor;
  /** By what they are. */
  const secrets: Record<string, string> = { ...GIVEN };

  beforeAll(async () => {
    postgres = await startExternalPostgres({
      ...{ passwords: { app: GIVEN.database, owner: GIVEN.database_owner }, log: true },
    });
    const { url, owner_url } = await postgres.database();
    // A source that sends back what it was asked with, as badly made ones do.
    source = createServer((request, response) => {
      response.writeHead(401, { 'content-type': 'text/plain' });
      response.end(`refused ${request.url} ${JSON.stringify(request.headers)}`);
    });
    await new Promise<void>((done) => source.listen(0, '127.0.0.1', done));
    const certificate = await selfsigned.generate([{ name: 'commonName', value: 'localhost' }], {
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
    });
    pem = certificate.cert;
    receiver = await openReceiver({
      ...{ security: 'starttls', certificate: { cert: certificate.cert, key: certificate.private } },
      user: { name: 'luna', password: GIVEN.smtp },
    });
    const address = `http://127.0.0.1:${(source.address() as AddressInfo).port}`;
    [box, browser] = await Promise.all([
      startBox({
        ...{ LUNA_LOG_LEVEL: 'trace', LUNA_DATABASE: url, LUNA_DATABASE_OWNER: owner_url },
        LUNA_MQTT_URL: `mqtt://luna:${GIVEN.broker}@127.0.0.1:9`,
        ...{ LUNA_ENTSOE_TOKEN: GIVEN.entsoe, LUNA_TIBBER_TOKEN: GIVEN.tibber, LUNA_ERCOT_USER: 'luna' },
        ...{
          LUNA_ERCOT_PASSWORD: GIVEN.ercot,
          LUNA_ERCOT_KEY: GIVEN.ercot_key,
          LUNA_PRICE_SOURCES: 'entsoe,tibber,ercot',
        },
        // The meter, the mail server and the webhook are on this machine.
        LUNA_ALLOWED_HOSTS: '127.0.0.1',
        LUNA_PROVIDER_URLS: JSON.stringify({ entsoe: address, tibber: address, ercot: address }),
      }),
      launchChromium(),
    ]);
    secrets.setup_token = new URL(box.setup_link!).searchParams.get('token')!;
    anna = await openVisitor(browser, box.url);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await box?.remove();
    await postgres?.stop();
    source?.close();
    await receiver?.close();
  });

  async function rememberCookies(when: string): Promise<void> {
    for (const { name, value } of await anna.page.context().cookies())
      if (/session|device/.test(name)) secrets[`${name} ${when}`] = value;
    const headers = await anna.page.locator('body').getAttribute('hx-headers');
    secrets[`csrf ${when}`] = JSON.parse(headers!)['X-CSRF-Token'];
  }
  const press = (selector: string) => anna.page.locator(selector).first().click();

  it('come to be: set-up, second factor, new password, keys, devices, wrong tries', async () => {
    const { page } = anna;
    const { pathname, search } = new URL(box.setup_link!);
    await anna.go(pathname + search);
    await page.fill('#login', 'anna');
    await page.fill('#name', 'Mill');
    await page.fill('#password', GIVEN.password);
    await page.fill('#password_again', GIVEN.password);
    await page.check('input[value="day-ahead"]');
    await press('button[value=empty]');
    await page.waitForURL(`${box.url}/`);
    await rememberCookies('after set-up');
    await anna.go('/account');
    await page.fill('#present-begin', GIVEN.password);
    await press('form[action="/account/second-factor/begin"] button.primary');
    await page.locator('.qr svg').waitFor();
    const seed = (await page.locator('.copy-line code').nth(1).textContent())!;
    secrets.totp_seed = seed;
    await page.fill('#code', await generate({ secret: seed, epoch: Date.now() / 1000 - 30 }));
    await press('form[action="/account/second-factor/confirm"] button.primary');
    const codes = (await page.locator('.copy-block pre').textContent())!.trim().split('\n');
    expect(codes).toHaveLength(10);
    for (const [i, code] of codes.entries()) secrets[`recovery code ${i}`] = code;
    await rememberCookies('after the second factor');
    await anna.go('/account');
    await page.fill('#present-password', GIVEN.password);
    await page.fill('#password', GIVEN.new_password);
    await page.fill('#password_again', GIVEN.new_password);
    await press('form[action="/account/password"] button.primary');
    await page.locator('.notice.ok').waitFor();
    await rememberCookies('after the new password');

    await press('form.person button');
    await page.waitForURL(`${box.url}/sign-in`);
    for (const password of [GIVEN.wrong_password, GIVEN.new_password]) {
      await page.fill('#login', 'anna');
      await page.fill('#password', password);
      await press('main button.primary');
    }
    await page.fill('#code', codes[0]!);
    await press('main button.primary');
    await page.waitForURL(`${box.url}/`);
    await rememberCookies('after signing in again');
    anna.complaints();
  }, 60_000);

  it('are made by keys, tokens and devices, and used rightly and wrongly', async () => {
    const made = (await anna.api('POST', '/api/v1/keys', { name: 'report', role: 'admin' })).body as { key: string };
    secrets.api_key = made.key;
    const off = { host: 'mail.example.org', port: 587, security: 'starttls', user: 'luna', from: 'l@example.org' };
    const mail = { ...off, host: '127.0.0.1', port: receiver.port, ca_pem: pem };
    const hook = { url: `http://127.0.0.1:${(source.address() as AddressInfo).port}/${GIVEN.webhook_path}` };
    await anna.api('PUT', '/api/v1/notifications/rules', { group_s: 0, escalate_min: 1 });
    for (const channel of [
      { name: 'off', kind: 'email', enabled: false, settings: off, secret: GIVEN.smtp_off },
      { name: 'mail', kind: 'email', enabled: true, settings: mail, secret: GIVEN.smtp, min_severity: 'info' },
      { name: 'hook', kind: 'webhook', settings: hook, secret: GIVEN.webhook_signing, min_severity: 'info' },
    ]) {
      const kept = await anna.api('POST', CHANNELS, channel);
      expect([channel.name, kept.status]).toEqual([channel.name, 201]);
      const { id } = kept.body as { id: string };
      const address = channel.kind === 'email' ? 'anna@example.org' : null;
      if (channel.enabled === false) continue;
      const told = { channel: id, name: `${channel.name} reader`, address };
      expect((await anna.api('POST', '/api/v1/notifications/recipients', told)).status).toBe(201);
      const sent = await anna.api('POST', `${CHANNELS}/${id}/test`, { to: address });
      // The receiver of the webhook refuses, and says back what it was sent.
      expect(sent.body).toMatchObject({ ok: channel.kind === 'email' });
    }
    const bearer = { authorization: `Bearer ${made.key}`, 'content-type': 'application/json' };
    const post = (path: string, body: unknown) =>
      fetch(`${box.url}${path}`, { method: 'POST', headers: bearer, body: JSON.stringify(body) });
    const issued = await fetch(`${box.url}/api/v1/token`, {
      method: 'POST',
      headers: { authorization: bearer.authorization },
    });
    const token = ((await issued.json()) as { token: string }).token;
    secrets.jwt = token.split('.')[2]!;
    expect((await fetch(`${box.url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    await fetch(`${box.url}/api/v1/me?key=${made.key}`, { headers: { authorization: `Bearer ${token}x` } });
    const hall = await post('/api/v1/devices', { id: 'hall', connection: { kind: 'mqtt', topic: null } });
    secrets.device_password = ((await hall.json()) as { password: string }).password;
    const connection = {
      kind: 'http',
      url: `http://127.0.0.1:${(source.address() as AddressInfo).port}`,
      token: GIVEN.http_token,
      poll_s: 1,
    };
    expect((await post('/api/v1/devices', { id: 'hw', profile: 'homewizard-p1', connection })).status).toBe(201);
    await post('/api/v1/devices/test', { profile: 'homewizard-p1', connection });
    await post('/api/v1/devices', { id: 'hw', profile: 'homewizard-p1', connection });
    const connect = (password: string) =>
      mqtt.connectAsync(`mqtt://127.0.0.1:${box.mqtt_port}`, {
        ...{ username: 'hall', password, reconnectPeriod: 0 },
        protocolVersion: 4,
      });
    await expect(connect(GIVEN.wrong_device_password)).rejects.toThrow(/Not authorized|Bad user/i);
    const client = await connect(secrets.device_password);
    await client.publishAsync('meters/hall/readings', '{"power_W": 7}', { qos: 1 });
    await client.endAsync();
    await post('/api/v1/token', { login: 'anna', password: GIVEN.wrong_password });
    const basic = `Basic ${Buffer.from(`hall:${secrets.device_password}`).toString('base64')}`;
    await fetch(`${box.url}/api/v1/readings`, {
      method: 'POST',
      headers: { ...bearer, authorization: basic },
      body: '{"power_W": 8}',
    });
    // An alert goes out on both ways: the meter does not answer.
    await expect.poll(() => receiver.mails.length, { timeout: 45_000 }).toBeGreaterThan(1);
    const messages = async () =>
      (
        (await anna.api('GET', '/api/v1/notifications/messages')).body as {
          messages: { channel: string; tries: number }[];
        }
      ).messages;
    await expect
      .poll(async () => (await messages()).some(({ channel, tries }) => channel === 'hook' && tries > 0))
      .toBe(true);
    // Sources, the external broker and the device are asked meanwhile, and refuse.
    await expect.poll(() => /ECONNREFUSED|broker/i.test(box.said()), { timeout: 20_000 }).toBe(true);
    await new Promise((done) => setTimeout(done, 3000));
  }, 120_000);

  it('are in no line that the box or its database logged', async () => {
    const lines = box
      .said()
      .split('\n')
      .filter((line) => !line.includes('/setup?token='));
    const folder = join(postgres.data_dir, 'log');
    const database = (
      await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'latin1')))
    ).join('\n');
    // The logs do say what was done, with parameters.
    expect(lines.filter((line) => line.startsWith('{')).length).toBeGreaterThan(50);
    expect(database).toMatch(/insert into session[\s\S]*?(Parameters|parameters): \$1 = /);
    expect(database.match(/'anna'/g)?.length).toBeGreaterThan(3);
    expect(Object.keys(secrets).length).toBeGreaterThan(35);
    expect(found(lines.join('\n'))).toEqual([]);
    expect(found(database)).toEqual([]);
  });

  it('are in no file of the box or its database, but in those of its keys', async () => {
    for (const name of KEYS) secrets[name] = (await readFile(join(box.home, name), 'utf8')).trim();
    await box.stop();
    await postgres.kill();
    const wrong: string[] = [];
    for (const folder of [box.home, postgres.data_dir])
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name);
        if (!entry.isFile() || KEY_FILES.includes(basename(path))) continue;
        for (const name of found(await readFile(path, 'latin1'))) wrong.push(`${name} in ${path}`);
      }
    expect(wrong).toEqual([]);
    await postgres.restart();
  }, 60_000);

  /** The names of secrets that stand in a text, also where they were encoded. */
  function found(text: string): string[] {
    return Object.entries(secrets).flatMap(([name, secret]) => {
      expect(secret.length, name).toBeGreaterThan(7);
      const forms = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64').slice(0, -4)];
      return forms.some((form) => text.includes(form)) ? [name] : [];
    });
  }
});
