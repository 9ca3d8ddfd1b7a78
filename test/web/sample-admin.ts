/** People, keys, audit log, jobs, health and demo of the sample building; forms change what is kept in memory. */
import { InvalidDataError, NotAllowedError, NotFoundError, TooManyTriesError } from '../../engine/errors.ts';
import type { Role } from '../../engine/model/site.ts';
import { HOUR_MS } from '../../engine/model/time.ts';
import type { Clock } from '../../engine/ports.ts';
import type { AccessService, AuditEntry, Person, SecondFactor, Services, Session } from '../../gateway/services.ts';
import { SITE, TENANT } from './sample-site.ts';

export const SETUP_TOKEN = 'the-one-time-token';
export const PASSWORD = 'three small words';
const DAY_MS = 24 * HOUR_MS;

function samplePeople(now_ms: number): Person[] {
  return [
    {
      id: 'p1',
      login: 'anna',
      name: 'Anna Müller',
      role: 'admin',
      language: 'en',
      disabled: false,
      last_sign_in_ms: now_ms - 2 * HOUR_MS,
      second_factor: true,
    },
    {
      id: 'p2',
      login: 'jonas',
      name: 'Jonas Petersen',
      role: 'analyst',
      language: 'de',
      disabled: false,
      last_sign_in_ms: now_ms - 3 * DAY_MS,
      second_factor: false,
    },
    {
      id: 'p3',
      login: 'leitstand',
      name: 'leitstand',
      role: 'user',
      language: 'de',
      disabled: false,
      last_sign_in_ms: null,
      second_factor: false,
    },
    {
      id: 'p4',
      login: 'm.okafor',
      name: 'Maria Okafor',
      role: 'user',
      language: 'en',
      disabled: true,
      last_sign_in_ms: now_ms - 90 * DAY_MS,
      second_factor: false,
    },
  ];
}

function sampleAccess(clock: Clock): AccessService {
  let people = samplePeople(clock.now());
  let keys = [
    {
      id: 'k1',
      name: 'monthly report',
      role: 'analyst' as const,
      created_ms: clock.now() - 40 * DAY_MS,
      last_used_ms: clock.now() - 5 * HOUR_MS,
    },
    {
      id: 'k2',
      name: 'building control',
      role: 'user' as const,
      created_ms: clock.now() - 3 * DAY_MS,
      last_used_ms: null,
    },
  ];
  let tries = 0;
  const session = (person: Person): Session => ({
    actor: { tenant: TENANT, person: person.login, role: person.role, language: person.language },
    person_id: person.id,
    name: person.name,
    csrf: 'csrf-of-the-sample',
    token_sha256: 'a'.repeat(64),
    lacks_code: false,
  });
  const find = (id: string) => {
    const person = people.find((each) => each.id === id);
    if (!person) throw new NotFoundError('There is no such person.');
    return person;
  };
  return {
    needsSetup: async () => false,
    setupToken: async () => SETUP_TOKEN,
    signIn: async (login, password) => {
      const person = people.find((each) => each.login === login);
      if (++tries > 5) throw new TooManyTriesError('Too many tries.', 30);
      if (!person || password !== PASSWORD) throw new NotAllowedError('Login or password is wrong.');
      tries = 0;
      return { token: 'token', session: session(person) };
    },
    signInWithCode: async (_ticket, code) => {
      if (code !== '123456') throw new NotAllowedError('The one-time code is wrong or was used before.');
      return { token: 'token', session: session(people[0]!) };
    },
    confirmPassword: async (_login, password) => {
      if (password !== PASSWORD) throw new NotAllowedError('Login or password is wrong.');
    },
    renew: async () => ({ token: 'token', session: { ...session(people[0]!), token_sha256: '' } }),
    second_factor: sampleSecondFactor(clock),
    session: async () => null,
    signOut: async () => {},
    bearer: async () => null,
    issueToken: async () => ({ token: '', expires_ms: 0 }),
    listPeople: async () => people,
    addPerson: async (_, { password, login, ...rest }) => {
      if (people.some((each) => each.login === login))
        throw new InvalidDataError(`The login ${login} is taken.`, 'Choose another one.', [
          { where: 'login', problem: 'is taken' },
        ]);
      if (password.length < 10)
        throw new InvalidDataError('The password is too short.', 'Give at least 10 characters.');
      const person: Person = {
        id: `p${people.length + 1}`,
        login,
        language: 'en',
        ...rest,
        disabled: false,
        last_sign_in_ms: null,
        second_factor: false,
      };
      people = [...people, person];
      return person;
    },
    changePerson: async (_, id, change) => {
      const person = find(id);
      if (person.role === 'admin' && change.role && change.role !== 'admin')
        throw new InvalidDataError(`${person.login} is the last admin.`, 'Make somebody else admin first.');
      const { password: _password, ...rest } = change;
      people = people.map((each) => (each.id === id ? { ...each, ...rest } : each));
    },
    removePerson: async (_, id) => {
      people = people.filter((each) => each.id !== find(id).id);
    },
    listKeys: async () => keys,
    createKey: async (_, name, role) => {
      const id = `k${keys.length + 1}`;
      keys = [...keys, { id, name, role: role as 'user', created_ms: clock.now(), last_used_ms: null }];
      return { id, key: `luna_${'k'.repeat(43)}` };
    },
    revokeKey: async (_, id) => {
      keys = keys.filter((key) => key.id !== id);
    },
  };
}

const SAMPLE_CODES = Array.from({ length: 10 }, (_, i) => `7k3f-m2qp-x0dw-a4n${i}`);

function sampleSecondFactor(clock: Clock): AccessService['second_factor'] {
  let roles: Role[] = ['admin'];
  let state: SecondFactor = { since_ms: null, recovery_left: 0, setup: null, is_lost: false };
  const seed = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
  return {
    of: async () => state,
    begin: async () => {
      state = { ...state, setup: { seed, uri: `otpauth://totp/Luna:anna?secret=${seed}&issuer=Luna` } };
    },
    confirm: async (_actor, _person, code) => {
      if (code !== '123456') throw new NotAllowedError('The code is wrong, was used before, or the clocks differ.');
      state = { since_ms: clock.now(), recovery_left: 10, setup: null, is_lost: false };
      return SAMPLE_CODES;
    },
    renewCodes: async () => SAMPLE_CODES,
    remove: async () => {
      state = { since_ms: null, recovery_left: 0, setup: null, is_lost: false };
    },
    roles: async () => roles,
    demand: async (_actor, wanted) => {
      roles = [...wanted];
    },
  };
}

function sampleAudit(now_ms: number): AuditEntry[] {
  const acts: [actor: string, act: string, object: string, detail: Record<string, unknown>][] = [
    [
      'anna',
      'change device',
      'solar-device',
      {
        name: 'Solar roof',
        enabled: true,
        connection: { kind: 'modbus-tcp', host: '192.168.1.20', port: 502, unit: 126, poll_s: 5 },
      },
    ],
    ['anna', 'add person', 'm.okafor', { role: 'user' }],
    ['jonas', 'sign in', 'jonas', { from: '192.168.1.31' }],
    ['command line', 'create API key', 'monthly report', { role: 'analyst' }],
    ['leitstand', 'sign in refused', 'leitstand', { from: '192.168.1.77' }],
    ['key:building control', 'advice accepted', 'run_battery:2026-06-16', { decision: '4c1f' }],
    ['system', 'repair <b>values</b>', 'hall-1', { points: 3, reason: { kind: 'spike' } }],
    [
      'anna',
      'change site',
      'site',
      { name: 'Hafenhaus', energy_price: { kind: 'day-ahead', area: 'DE-LU', factor: 1.03 } },
    ],
  ];
  return Array.from({ length: 120 }, (_, i) => {
    const [actor, act, object, detail] = acts[i % acts.length]!;
    return { id: 120 - i, at_ms: now_ms - 20 * 60_000 - i * 5.3 * HOUR_MS, actor, act, object, detail };
  });
}

function sampleChain(tenant: string, entries: number, now_ms: number) {
  const at = new Date(now_ms - 20 * 60_000).toISOString();
  const last = { id: entries, hash: 'a'.repeat(64), at };
  return { tenant, entries, last, signed: { id: entries, at }, accepted: null, fault: null };
}

type Part =
  | 'access'
  | 'audit'
  | 'audit_chain'
  | 'jobs'
  | 'health'
  | 'demo'
  | 'journal'
  | 'weather'
  | 'allowedHosts'
  | 'model_fetch';

export function sampleAdmin(clock: Clock): Pick<Services, Part> {
  const entries = sampleAudit(clock.now());
  let is_running = SITE.demo;
  return {
    access: sampleAccess(clock),
    model_fetch: {
      models: async () => [
        { name: 'llama3.1:8b', use: 'language', state: 'loaded', bytes: 5.6e9, progress: null, reason: null },
        {
          ...{ name: 'nomic-embed-text', use: 'embedding', state: 'fetching', bytes: null, reason: null },
          progress: { status: 'pulling', done_bytes: 1.1e8, total_bytes: 2.7e8 },
        },
      ],
    },
    allowedHosts: {
      entries: () => [],
      list: () => ({
        configured: ['prices.lan'],
        allowed: [{ host: 'mail.lan', by: 'anna', at_ms: clock.now() - DAY_MS }],
      }),
      allow: async () => {},
      remove: async () => {},
    },
    audit_chain: {
      verify: async (tenant) => sampleChain(tenant, entries.length, clock.now()),
      state: async (tenant) => sampleChain(tenant, entries.length, clock.now()),
      acceptKeys: async () => null,
      async *export() {
        yield '{"kind":"key"}\n';
      },
    },
    audit: {
      record: async () => {},
      list: async (_, { limit, before }) =>
        entries.filter(({ id }) => before === undefined || id < before).slice(0, limit),
    },
    jobs: {
      depth: async () => [
        { name: 'forecast', waiting: 0, active: 1, failed: 0 },
        { name: 'read-document', waiting: 2, active: 1, failed: 1 },
        { name: 'quality-report', waiting: 0, active: 0, failed: 0 },
      ],
    } as unknown as Services['jobs'],
    health: {
      report: async () => ({
        ready: true,
        parts: [
          { name: 'database', state: 'ok', text: 'embedded Postgres answers', since_ms: null },
          { name: 'journal', state: 'ok', text: '18442 records so far, 12 MB on disk', since_ms: null },
          { name: 'series store', state: 'ok', text: 'duckdb answers', since_ms: null },
          { name: 'drain', state: 'ok', text: '3 records on their way into the series store', since_ms: null },
          {
            name: 'jobs',
            state: 'degraded',
            text: 'Jobs failed for good: read-document (1).',
            since_ms: clock.now() - 40 * 60_000,
          },
        ],
      }),
      look: async () => {},
      store: () => ({
        ...{ up: true, since_ms: clock.now() - 3_600_000, reason: null },
        ...{ waiting_records: 3, waiting_readings: 12, full_in_h: null },
      }),
      readings: () => {
        const mqtt = { received: 120_400, stored: 119_800, duplicate: 388, rejected: 190, dead: 10, waiting: 12 };
        const modbus = { received: 80_000, stored: 80_000, duplicate: 0, rejected: 0, dead: 0, waiting: 0 };
        const total = { received: 200_400, stored: 199_800, duplicate: 388, rejected: 190, dead: 10, waiting: 12 };
        return { total, sources: { mqtt, 'modbus-tcp': modbus }, missing: 0, complete: true };
      },
    },
    journal: {
      append: async () => 0,
      release: async () => {},
      stats: () => ({ last_seq: 18_442, released_seq: 18_439, bytes: 12_400_000, segments: 1, quarantined: [] }),
      close: async () => {},
    },
    weather: {
      hours: async () => [],
      known: async () => [],
      state: async () => ({ enabled: true, last_success_ms: clock.now() - 22 * 60_000, fault: null }),
    },
    demo: {
      start: async () => {
        is_running = true;
      },
      stop: async () => {
        is_running = false;
      },
      running: () => is_running,
    },
  };
}
