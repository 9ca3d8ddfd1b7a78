/** One box with two organisations whose every text and value carries a mark that the other must never see. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedPostgres } from '../../../connectors/database/embedded/embedded.ts';
import type { Role } from '../../../engine/model/site.ts';
import type { Database } from '../../../engine/ports.ts';
import { type Box, startBox } from '../../setup/box.ts';
import { copyTemplate, FAST, silent } from '../../setup/database.ts';

export type Organisation = {
  tenant: string;
  /** In every name, text and file of this organisation, in no id. */
  secret: string;
  /** Power, register and forecast values: no other number of the box looks like it. */
  number: number;
  password: string;
  /** API keys by role. */
  keys: Record<Role, string>;
  ids: {
    device: string;
    /** Both organisations have it. */
    twin: string;
    meter: string;
    document: string;
    person: string;
    login: string;
    key: string;
    decision: string;
    action: string;
    alert: string;
    anomaly: string;
    channel: string;
    recipient: string;
    repair: string;
  };
};
export type TwoTenants = { box: Box; organisations: readonly [Organisation, Organisation]; remove(): Promise<void> };

/** A stored report of a day without readings; those of days that get some are made anew. */
export const REPORT_DAY = '2026-01-15';
export const FROM = '2026-03-02T00:00:00Z';
export const TO = '2026-03-03T00:00:00Z';
const SEEDS = [
  { tenant: 'default', secret: 'Okapigeheim', number: 7391.25, id: 'ok' },
  { tenant: 'other', secret: 'Quaggasecret', number: 8462.75, id: 'qu' },
] as const;
type Seed = (typeof SEEDS)[number];

export async function startTwoTenants(): Promise<TwoTenants> {
  const home = await mkdtemp(join(tmpdir(), 'luna-two-'));
  await copyTemplate(home);
  const db = await openEmbeddedPostgres({ home, log: silent, settings: FAST });
  const rows = await writeTenants(db);
  await db.close();
  const box = await startBox({ LUNA_PRICE_SOURCES: '' }, home);
  const organisations = await fillTenants(rows, {
    request: (path, init) => fetch(`${box.url}${path}`, init),
    adminKey: async (tenant) =>
      (await box.lunaJson<{ key: string }>('key', 'create', '--tenant', tenant, '--role', 'admin')).key,
  });
  return { box, organisations, remove: () => box.remove() };
}

type Rows = { decision: string; alert: string; anomaly: string; action: string };
/** The way into a box: over the network, or into the application in this process. */
export type Door = {
  request(path: string, init?: RequestInit): Response | Promise<Response>;
  adminKey(tenant: string): Promise<string>;
};

/** Both tenants and the rows that no request makes. */
export async function writeTenants(db: Database): Promise<Rows[]> {
  await db.asSystem((sql) =>
    sql(`insert into tenant (id, name) values ('default', 'default'), ('other', 'other') on conflict do nothing`),
  );
  const rows = [];
  for (const seed of SEEDS) rows.push(await writeRows(db, seed));
  return rows;
}

export async function fillTenants(rows: readonly Rows[], door: Door): Promise<[Organisation, Organisation]> {
  const organisations: Organisation[] = [];
  for (const [i, seed] of SEEDS.entries()) organisations.push(await fill(door, seed, rows[i]!));
  return [organisations[0]!, organisations[1]!];
}

/** What no request makes at once: a decision, an alert, a quality report. */
async function writeRows(db: Database, { tenant, secret, number, id }: Seed): Promise<Rows> {
  const action = `${id}-action`;
  const words = { en: `${secret} advice`, de: `${secret} Rat` };
  const saving = { amount: number, low: number, high: number, currency: 'EUR' };
  const eligible = [
    {
      ...{ id: action, kind: 'check_meter', text: words, why: words, saving, deadline_ms: null, link: null },
      features: [0, 0, 0, 0, 0, 0, 0, 0],
    },
  ];
  const chosen = [{ chosen: action, propensities: { [action]: 1 }, candidates: [{ id: action, propensity: 1 }] }];
  return db.asTenant(tenant, async (sql) => {
    const [decision] = await sql<{ id: string }>(
      `insert into decision (tenant_id, id, site_id, at, policy, seed, context, eligible, chosen)
        values ($1, gen_random_uuid(), 'main', now(), 'linucb/1', 1, $2, $3, $4) returning id`,
      [tenant, JSON.stringify({ note: secret }), JSON.stringify(eligible), JSON.stringify(chosen)],
    );
    const [alert] = await sql<{ id: string }>(
      `insert into alert (tenant_id, kind, object, severity, detail, opened_at)
        values ($1, 'device_unreachable', $2, 'fault', $3, now()) returning id`,
      [tenant, `${id}-device`, JSON.stringify({ text: secret })],
    );
    const [anomaly] = await sql<{ id: string }>(
      `insert into anomaly (tenant_id, meter_id, quantity, kind, since_at, opened_at, score, energy_kwh, causes)
        values ($1, $2, 'import_kWh', 'shift', now(), now(), 2, $3, '[]') returning id`,
      [tenant, `${id}-meter`, number],
    );
    await sql(`insert into quality_report (tenant_id, meter_id, day, report) values ($1, 'twin', $2, $3)`, [
      ...[tenant, REPORT_DAY],
      JSON.stringify({
        ...{ meter: 'twin', day: REPORT_DAY, state: 'fault' },
        checks: [{ name: 'gaps', quantity: 'power_W', passed: false, count: 1, text: secret, text_de: secret }],
      }),
    ]);
    await sql(`insert into setting (tenant_id, name, value) values ($1, 'note', $2)`, [tenant, JSON.stringify(secret)]);
    return { decision: decision!.id, alert: alert!.id, anomaly: anomaly!.id, action };
  });
}

async function fill(door: Door, seed: Seed, rows: Rows): Promise<Organisation> {
  const { tenant, secret, number, id } = seed;
  const admin = await door.adminKey(tenant);
  const send = async (method: string, path: string, body?: string | FormData, type = 'application/json') => {
    const headers: Record<string, string> = { authorization: `Bearer ${admin}` };
    if (!(body instanceof FormData)) headers['content-type'] = type;
    const answer = await door.request(path, { method, headers, ...(body === undefined ? {} : { body }) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? {} : ((await answer.json()) as Record<string, unknown>);
  };
  const newKey = async (name: string, role: Role) => send('POST', '/api/v1/keys', JSON.stringify({ name, role }));
  const keys: Record<Role, string> = {
    admin,
    analyst: String((await newKey('analyst', 'analyst')).key),
    user: String((await newKey('user', 'user')).key),
  };
  await send('PUT', '/api/v1/site', JSON.stringify(siteOf(secret)));
  const connection = { kind: 'mqtt', topic: null };
  for (const device of ['twin', `${id}-device`])
    await send('POST', '/api/v1/devices', JSON.stringify({ id: device, name: `${secret} ${device}`, connection }));
  const meter = `${id}-device`;
  await send('POST', '/api/v1/readings', JSON.stringify(readingsOf(['twin', meter], number)));
  await send('POST', '/api/v1/data/load', `at,meter,power_W\n2026-02-01T00:00:00Z,twin,${number}\n`, 'text/csv');
  const value = { meter, quantity: 'power_W', at: '2026-02-02T00:00:00Z', value: number };
  const repaired = await send('POST', '/api/v1/data/repair', JSON.stringify({ reason: secret, repairs: [value] }));
  const form = new FormData();
  const text = `# ${secret} rules\n\n§ 1 ${secret} connection\n\nThe ${secret} operator pays ${number} EUR for the grid connection.\n`;
  form.set('file', new File([text], `${secret}.md`, { type: 'text/markdown' }));
  form.set('title', `${secret} law`);
  const document = await send('POST', '/api/v1/documents', form);
  const login = `${id}-person`;
  const password = `${secret} password`;
  const person = await send(
    'POST',
    '/api/v1/people',
    JSON.stringify({ login, name: `${secret} person`, role: 'admin', password }),
  );
  const key = await newKey(`${secret} key`, 'user');
  const channel = await send('POST', '/api/v1/notifications/channels', JSON.stringify(mailOf(secret)));
  const recipient = await send(
    'POST',
    '/api/v1/notifications/recipients',
    JSON.stringify({ channel: channel.id, name: `${secret} reader`, address: `${secret}@example.org` }),
  );
  return {
    ...{ tenant, secret, number, password, keys },
    ids: {
      ...{ device: `${id}-device`, twin: 'twin', meter, login, ...rows },
      ...{ document: String(document.id), person: String(person.id), key: String(key.id) },
      ...{ channel: String(channel.id), recipient: String(recipient.id) },
      repair: (repaired.repairs as string[])[0]!,
    },
  };
}

/** Off: nothing goes out while the rows are looked at. */
function mailOf(secret: string) {
  return {
    ...{ name: `${secret} mail`, kind: 'email', enabled: false, secret: `${secret} of the mail server` },
    settings: { host: 'mail.example.org', port: 587, security: 'starttls', user: secret, from: 'luna@example.org' },
  };
}

export function siteOf(secret: string) {
  return {
    ...{ id: 'main', name: `${secret} works`, place: secret, latitude: null, longitude: null },
    ...{ time_zone: 'Europe/Berlin', country: 'DE', currency: 'EUR' },
    energy_price: { kind: 'fixed', per_kWh: 0.3, vat_percent: 19 },
  };
}

function readingsOf(meters: readonly string[], number: number) {
  const now_ms = Date.now();
  const moments = [0, 5, 10, 15, 20, 25, 30].map((minute) => Date.parse(FROM) + minute * 60_000);
  return meters.flatMap((meter) =>
    [...moments, now_ms - 60_000, now_ms].map((at_ms, i) => ({
      ...{ meter, at: new Date(at_ms).toISOString() },
      power_W: number,
      import_kWh: 100_000 + number + i / 100,
    })),
  );
}
