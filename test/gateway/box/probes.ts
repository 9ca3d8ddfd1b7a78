/** For every operation of the API the requests with which somebody would try to reach another organisation's things. */
import { FROM, type Organisation, REPORT_DAY, siteOf, TO } from './two-tenants.ts';

export type Probe = { path: string; body?: string | FormData; type?: string };
type Ids = Organisation['ids'];

const json = (path: string, value: unknown): Probe => ({ path, body: JSON.stringify(value), type: 'application/json' });
const range = `from=${FROM}&to=${TO}`;
const csv = (path: string, body: string): Probe => ({ path, body, type: 'text/csv' });
const each = (values: readonly string[], probe: (value: string) => Probe) => values.map(probe);

function upload(title: string): FormData {
  const form = new FormData();
  form.set('file', new File(['# Harmless\n\nNothing here.\n'], 'mine.md', { type: 'text/markdown' }));
  form.set('title', title);
  return form;
}

const spanOf = (meter: string) => ({ meter, quantity: 'power_W', from: FROM, to: TO, choice: { kind: 'missing' } });

/** Off, so that nothing goes out while the test looks at the rows. */
export const channelNamed = (name: string) => ({
  ...{ name, kind: 'email', enabled: false },
  settings: { host: 'mail.example.org', port: 587, security: 'starttls', user: name, from: 'luna@example.org' },
});

/** By `METHOD path` as the document writes it. `ids` are the victim's. */
export const PROBES: Readonly<Record<string, (ids: Ids) => Probe[]>> = {
  'POST /api/v1/readings': (ids) =>
    each([ids.meter, ids.twin], (meter) => json('/api/v1/readings', { meter, at: FROM, power_W: 1 })),
  'POST /api/v1/data/load': (ids) => [
    csv('/api/v1/data/load?name=probe.csv', `at,meter,power_W\n${FROM},${ids.meter},1\n${FROM},${ids.twin},2\n`),
    csv(
      `/api/v1/data/load?mapping=${encodeURIComponent(JSON.stringify({ at: 'at', meter_id: ids.meter, columns: { power_W: 'power_W' } }))}`,
      `at,power_W\n${FROM},1\n`,
    ),
  ],
  'GET /api/v1/data/query': (ids) => [
    ...[ids.meter, ids.twin].flatMap((meter) =>
      ['raw', 'slot', 'hour', 'day', 'month'].flatMap((resolution) =>
        ['power_W', 'import_kWh'].map((quantity) => ({
          path: `/api/v1/data/query?meter=${meter}&quantity=${quantity}&resolution=${resolution}&${range}`,
        })),
      ),
    ),
    { path: `/api/v1/data/query?quantity=power_W&resolution=day&format=csv&${range}` },
    { path: `/api/v1/data/query?meter=all&quantity=import_kWh&resolution=hour&${range}` },
  ],
  'GET /api/v1/data/totals': (ids) => [
    { path: `/api/v1/data/totals?meters=${ids.meter},${ids.twin}&quantity=import_kWh&${range}` },
    { path: `/api/v1/data/totals?quantity=power_W&${range}` },
  ],
  'POST /api/v1/data/repair': (ids) =>
    each([ids.meter, ids.twin], (meter) =>
      json('/api/v1/data/repair', {
        reason: 'probe',
        repairs: [{ meter, quantity: 'power_W', at: FROM, value: 5 }],
      }),
    ),
  'GET /api/v1/clock': () => [{ path: '/api/v1/clock' }],
  'POST /api/v1/clock/believe': () => [{ path: '/api/v1/clock/believe' }],
  'POST /api/v1/clock/held/{boot}/release': () => [json('/api/v1/clock/held/boot-1/release', { first_at: FROM })],
  'POST /api/v1/clock/held/{boot}/discard': () => [{ path: '/api/v1/clock/held/boot-1/discard' }],
  'POST /api/v1/data/repairs': (ids) =>
    each([ids.meter, ids.twin], (meter) => json('/api/v1/data/repairs', { reason: 'probe', ...spanOf(meter) })),
  'POST /api/v1/data/repairs/preview': (ids) =>
    each([ids.meter, ids.twin], (meter) => json('/api/v1/data/repairs/preview', spanOf(meter))),
  'GET /api/v1/data/repairs': (ids) => [
    { path: '/api/v1/data/repairs' },
    { path: `/api/v1/data/repairs?meter=${ids.meter}` },
  ],
  'GET /api/v1/data/repairs/{id}': (ids) => [{ path: `/api/v1/data/repairs/${ids.repair}` }],
  'POST /api/v1/data/repairs/{id}/undo': (ids) => [
    json(`/api/v1/data/repairs/${ids.repair}/undo`, { reason: 'probe' }),
  ],
  'POST /api/v1/data/repairs/{id}/redo': (ids) => [
    json(`/api/v1/data/repairs/${ids.repair}/redo`, { reason: 'probe' }),
  ],
  'GET /api/v1/data/changes': (ids) =>
    each([ids.meter, ids.twin], (meter) => ({
      path: `/api/v1/data/changes?meter=${meter}&quantity=power_W&${range}`,
    })),
  'GET /api/v1/quality': (ids) =>
    each([ids.meter, ids.twin], (meter) => ({ path: `/api/v1/quality?meter=${meter}&day=${REPORT_DAY}` })),
  'GET /api/v1/prices': () => [{ path: '/api/v1/prices' }, { path: '/api/v1/prices?area=DE-LU' }],
  'GET /api/v1/tariff': () => [{ path: '/api/v1/tariff' }],
  'PUT /api/v1/tariff/versions/{valid_from}': () => [
    json('/api/v1/tariff/versions/2026-01-01', {
      yaml: 'name: Probe\ncurrency: EUR\ntime_zone: Europe/Berlin\nvat_percent: 0\nenergy:\n  - { name: E, price_per_kWh: 9 }\n',
    }),
  ],
  'DELETE /api/v1/tariff/versions/{valid_from}': () => [{ path: '/api/v1/tariff/versions/1970-01-01' }],
  'POST /api/v1/tariff/check': (ids) =>
    each([ids.meter, ids.twin], (meter) =>
      json('/api/v1/tariff/check', {
        yaml: `name: Probe\ncurrency: EUR\ntime_zone: Europe/Berlin\nvat_percent: 0\nenergy:\n  - { name: E, price_per_kWh: 9, meter: ${meter} }\n`,
        valid_from: '2026-01-01',
      }),
    ),
  'GET /api/v1/tariff/prices': () => [{ path: `/api/v1/tariff/prices?${range}` }],
  'GET /api/v1/tariff/examples': () => [{ path: '/api/v1/tariff/examples' }],
  'GET /api/v1/bills/{month}': () => [
    { path: `/api/v1/bills/${FROM.slice(0, 7)}` },
    { path: `/api/v1/bills/${FROM.slice(0, 7)}?format=csv` },
  ],
  'GET /api/v1/bills/{month}/lines/{line}': () => [{ path: `/api/v1/bills/${FROM.slice(0, 7)}/lines/1` }],
  'GET /api/v1/prices/sources': () => [{ path: '/api/v1/prices/sources' }],
  'GET /api/v1/prices/demand': () => [{ path: '/api/v1/prices/demand?area=HB_HOUSTON' }],
  'GET /api/v1/weather': () => [{ path: '/api/v1/weather' }],
  'POST /api/v1/prices/refresh': () => [{ path: '/api/v1/prices/refresh' }],
  'POST /api/v1/prices/load': () => [csv('/api/v1/prices/load?area=AT', `at,price_EUR_MWh\n${FROM},50\n`)],
  'GET /api/v1/forecast': (ids) =>
    each(['load', 'generation', 'price', `${ids.twin}:power_W`, `${ids.meter}:power_W`], (series) => ({
      path: `/api/v1/forecast?series=${series}`,
    })),
  'GET /forecast': () => [{ path: '/forecast?series=load' }],
  'POST /api/v1/predict': (ids) =>
    each(['load', `${ids.meter}:power_W`], (series) =>
      json('/api/v1/predict', { series, at: new Date(Date.now() + 3_600_000).toISOString() }),
    ),
  'GET /api/v1/explain/{id}': (ids) => [{ path: `/api/v1/explain/${ids.decision}` }],
  'GET /api/v1/models': () => [{ path: '/api/v1/models' }],
  'POST /api/v1/models/reload': () => [{ path: '/api/v1/models/reload' }],
  'POST /api/v1/models/train': (ids) => [{ path: `/api/v1/models/train?series=${ids.meter}` }],
  'POST /api/v1/models/train/cancel': () => [{ path: '/api/v1/models/train/cancel' }],
  'POST /api/v1/models/{run}/promote': (ids) => [{ path: `/api/v1/models/${ids.decision}/promote` }],
  'POST /api/v1/models/roll-back': () => [json('/api/v1/models/roll-back', { series: 'load', horizon: 'day-ahead' })],
  'POST /api/v1/models/pin': () => [json('/api/v1/models/pin', { series: 'load', horizon: 'day-ahead', pinned: true })],
  'GET /api/v1/forecast/error': (ids) =>
    each(['load', `${ids.meter}:power_W`], (series) => ({ path: `/api/v1/forecast/error?series=${series}` })),
  'POST /api/v1/forecast/refresh': (ids) =>
    each(['load', `${ids.meter}:power_W`], (series) => ({ path: `/api/v1/forecast/refresh?series=${series}` })),
  'GET /api/v1/documents': () => [{ path: '/api/v1/documents' }],
  'POST /api/v1/documents': () => [{ path: '/api/v1/documents', body: upload('Harmless') }],
  'DELETE /api/v1/documents/{id}': (ids) => [{ path: `/api/v1/documents/${ids.document}` }],
  'GET /api/v1/documents/{id}': (ids) => [{ path: `/api/v1/documents/${ids.document}` }],
  'PATCH /api/v1/documents/{id}': (ids) => [json(`/api/v1/documents/${ids.document}`, { shared: true })],
  'PATCH /api/v1/documents/{id}/versions/{version}': (ids) => [
    json(`/api/v1/documents/${ids.document}/versions/1`, { valid_to: '2020-01-01' }),
  ],
  'DELETE /api/v1/documents/{id}/versions/{version}': (ids) => [
    { path: `/api/v1/documents/${ids.document}/versions/1` },
  ],
  'GET /api/v1/documents/{id}/file': (ids) => [
    { path: `/api/v1/documents/${ids.document}/file` },
    { path: `/api/v1/documents/${ids.document}/file?version=1` },
  ],
  'GET /api/v1/documents/{id}/marks': (ids) => [
    { path: `/api/v1/documents/${ids.document}/marks?page=1&quote=operator` },
  ],
  'GET /api/v1/search': () => [
    { path: '/api/v1/search?q=What+does+the+operator+pay' },
    { path: '/api/v1/search?q=operator+grid+connection&limit=50' },
  ],
  'POST /api/v1/embed': () => [json('/api/v1/embed', { texts: ['What does the operator pay?'] })],
  'GET /api/v1/glossary': () => [{ path: '/api/v1/glossary' }],
  'PUT /api/v1/glossary': () => [
    json('/api/v1/glossary', { language: 'en', lay: 'harmless', legal: ['without harm'] }),
  ],
  'DELETE /api/v1/glossary': () => [{ path: '/api/v1/glossary?language=en&lay=harmless' }],
  'GET /api/v1/golden-sets': () => [{ path: '/api/v1/golden-sets' }],
  'PUT /api/v1/golden-sets/{name}': () => [
    json('/api/v1/golden-sets/harmless', { questions: [{ question: 'Harmless?', document: null, section: null }] }),
  ],
  'DELETE /api/v1/golden-sets/{name}': () => [{ path: '/api/v1/golden-sets/harmless' }],
  'GET /api/v1/retrieval-evaluations': () => [{ path: '/api/v1/retrieval-evaluations?set=harmless' }],
  'POST /api/v1/retrieval-evaluations': () => [json('/api/v1/retrieval-evaluations', { set: 'harmless' })],
  'POST /api/v1/ask': (ids) => [
    json('/api/v1/ask', { question: 'What does the operator pay for the grid connection?' }),
    json('/api/v1/ask', { question: 'What does the operator pay for the grid connection?', document: ids.document }),
  ],
  ...Object.fromEntries(
    ['/query', '/rag/ask', '/api/v1/query', '/api/v1/rag/ask'].flatMap((path) => {
      const q = 'What does the operator pay for the grid connection?';
      return [
        [`GET ${path}`, () => [{ path: `${path}?q=${encodeURIComponent(q)}` }]],
        [`POST ${path}`, (ids: Ids) => [json(path, { q }), json(path, { q, conversation: ids.document })]],
      ];
    }),
  ),
  'GET /api/v1/conversations': () => [{ path: '/api/v1/conversations?limit=200' }],
  'GET /api/v1/conversations/{id}': (ids) => [{ path: `/api/v1/conversations/${ids.document}` }],
  'DELETE /api/v1/conversations/{id}': (ids) => [{ path: `/api/v1/conversations/${ids.document}` }],
  'GET /api/v1/conversations/{id}/export': (ids) => [{ path: `/api/v1/conversations/${ids.document}/export` }],
  'GET /api/v1/answers/{id}': (ids) => [{ path: `/api/v1/answers/${ids.document}` }],
  'POST /api/v1/answers/{id}/stop': (ids) => [json(`/api/v1/answers/${ids.document}/stop`, {})],
  'POST /api/v1/answers/{id}/pause': (ids) => [json(`/api/v1/answers/${ids.document}/pause`, {})],
  'POST /api/v1/answers/{id}/resume': (ids) => [json(`/api/v1/answers/${ids.document}/resume`, {})],
  'PUT /api/v1/answers/{id}/feedback': (ids) => [
    json(`/api/v1/answers/${ids.document}/feedback`, { verdict: 'not_useful' }),
  ],
  'POST /api/v1/answers/{id}/task': (ids) => [json(`/api/v1/answers/${ids.document}/task`, {})],
  'POST /api/v1/answers/{id}/task/done': (ids) => [json(`/api/v1/answers/${ids.document}/task/done`, {})],
  'GET /api/v1/answer-tasks': () => [{ path: '/api/v1/answer-tasks' }],
  'GET /api/v1/answer-evaluations': () => [{ path: '/api/v1/answer-evaluations' }],
  'GET /api/v1/language-model': () => [{ path: '/api/v1/language-model' }],
  'POST /api/v1/language-model/pull': () => [json('/api/v1/language-model/pull', {})],
  'GET /api/v1/language-model/log': () => [{ path: '/api/v1/language-model/log' }],
  'GET /api/v1/recommend': () => [{ path: '/api/v1/recommend' }, { path: '/api/v1/recommend?language=de' }],
  'POST /api/v1/recommend/{decision_id}/feedback': (ids) => [
    json(`/api/v1/recommend/${ids.decision}/feedback`, { action: ids.action, outcome: 'accepted' }),
  ],
  'GET /api/v1/recommend/{decision_id}/explain': (ids) => [{ path: `/api/v1/recommend/${ids.decision}/explain` }],
  'GET /api/v1/recommend/settings': () => [{ path: '/api/v1/recommend/settings' }],
  'PUT /api/v1/recommend/settings': () => [
    json('/api/v1/recommend/settings', { per_day: 6, quiet: null, demand_charge_per_kW: null }),
  ],
  'GET /api/v1/recommend/performance': () => [{ path: '/api/v1/recommend/performance' }],
  'GET /api/v1/recommend/policy': () => [{ path: '/api/v1/recommend/policy' }],
  'GET /api/v1/recommend/log': () => [
    { path: '/api/v1/recommend/log?silent=true' },
    { path: '/api/v1/recommend/log?silent=true&format=parquet' },
  ],
  'POST /api/v1/events': (ids) => [
    json('/api/v1/events', { events: [{ id: 'probe-1', kind: 'view', object: ids.document }] }),
  ],
  'GET /api/v1/anomalies': (ids) => [{ path: '/api/v1/anomalies' }, { path: `/api/v1/anomalies?meter=${ids.meter}` }],
  'GET /api/v1/anomalies/{id}': (ids) => [{ path: `/api/v1/anomalies/${ids.anomaly}` }],
  'POST /api/v1/anomalies/{id}/verdict': (ids) => [
    json(`/api/v1/anomalies/${ids.anomaly}/verdict`, { verdict: 'expected' }),
  ],
  'GET /api/v1/alerts': () => [{ path: '/api/v1/alerts' }, { path: '/api/v1/alerts?open=false' }],
  'GET /api/v1/alerts/{id}': (ids) => [{ path: `/api/v1/alerts/${ids.alert}` }],
  'POST /api/v1/alerts/{id}/acknowledge': (ids) => [{ path: `/api/v1/alerts/${ids.alert}/acknowledge` }],
  'GET /api/v1/notifications/channels': () => [{ path: '/api/v1/notifications/channels' }],
  'POST /api/v1/notifications/channels': () => [json('/api/v1/notifications/channels', channelNamed('probe'))],
  'PUT /api/v1/notifications/channels/{id}': (ids) => [
    json(`/api/v1/notifications/channels/${ids.channel}`, channelNamed('probe 2')),
  ],
  'DELETE /api/v1/notifications/channels/{id}': (ids) => [{ path: `/api/v1/notifications/channels/${ids.channel}` }],
  'POST /api/v1/notifications/channels/{id}/test': (ids) => [
    json(`/api/v1/notifications/channels/${ids.channel}/test`, { to: 'spy@example.org' }),
  ],
  'GET /api/v1/notifications/recipients': () => [{ path: '/api/v1/notifications/recipients' }],
  'POST /api/v1/notifications/recipients': (ids) => [
    json('/api/v1/notifications/recipients', { channel: ids.channel, name: 'probe', address: 'spy@example.org' }),
  ],
  'PUT /api/v1/notifications/recipients/{id}': (ids) => [
    json(`/api/v1/notifications/recipients/${ids.recipient}`, {
      ...{ channel: ids.channel, name: 'probe', address: 'spy@example.org' },
    }),
  ],
  'DELETE /api/v1/notifications/recipients/{id}': (ids) => [
    { path: `/api/v1/notifications/recipients/${ids.recipient}` },
  ],
  'GET /api/v1/notifications/rules': () => [{ path: '/api/v1/notifications/rules' }],
  'PUT /api/v1/notifications/rules': () => [json('/api/v1/notifications/rules', { group_s: 60, escalate_min: 30 })],
  'GET /api/v1/notifications/messages': () => [{ path: '/api/v1/notifications/messages?limit=500' }],
  'GET /api/v1/devices': () => [{ path: '/api/v1/devices' }],
  'POST /api/v1/devices': (ids) => [
    json('/api/v1/devices', { id: ids.device, connection: { kind: 'mqtt', topic: null } }),
    // The user name that the other organisation's device would have.
    json('/api/v1/devices', { id: `other.${ids.twin}`, connection: { kind: 'mqtt', topic: null } }),
  ],
  'GET /api/v1/devices.yaml': () => [{ path: '/api/v1/devices.yaml' }],
  'POST /api/v1/devices.yaml': (ids) => [
    {
      path: '/api/v1/devices.yaml',
      body: `devices:\n  - id: ${ids.device}\n    name: probe\n    connection: { kind: mqtt }\n`,
      type: 'application/yaml',
    },
  ],
  'GET /api/v1/devices/{id}': (ids) => each([ids.device, ids.twin], (id) => ({ path: `/api/v1/devices/${id}` })),
  'PATCH /api/v1/devices/{id}': (ids) =>
    each([ids.device, ids.twin], (id) => json(`/api/v1/devices/${id}`, { name: 'probe', enabled: false })),
  'DELETE /api/v1/devices/{id}': (ids) => [{ path: `/api/v1/devices/${ids.device}?erase_readings=true` }],
  'GET /api/v1/device-search': () => [{ path: '/api/v1/device-search' }],
  'DELETE /api/v1/device-search': () => [{ path: '/api/v1/device-search' }],
  // Refused: the box itself is in no range that may be searched.
  'POST /api/v1/device-search': () => [
    json('/api/v1/device-search', { kind: 'network', ranges: ['127.0.0.1/32'], confirmed: true }),
    json('/api/v1/device-search', {
      kind: 'bus',
      connection: { kind: 'modbus-tcp', host: '127.0.0.1', port: 1, unit: 1, poll_s: 10 },
    }),
  ],
  'POST /api/v1/devices/test': (ids) => [
    json('/api/v1/devices/test', {
      connection: { kind: 'modbus-tcp', host: '127.0.0.1', port: 1, unit: 1, poll_s: 10 },
    }),
    json('/api/v1/devices/test', {
      profile: ids.device,
      connection: { kind: 'http', url: 'http://127.0.0.1:1/', poll_s: 10 },
    }),
  ],
  'POST /api/v1/devices/{id}/credential': (ids) =>
    each([ids.device, ids.twin], (id) => ({ path: `/api/v1/devices/${id}/credential` })),
  'GET /api/v1/profiles': () => [{ path: '/api/v1/profiles' }],
  'GET /api/v1/profiles/{name}': (ids) => [{ path: `/api/v1/profiles/${ids.device}` }],
  'GET /api/v1/site': () => [{ path: '/api/v1/site' }],
  'PUT /api/v1/site': () => [json('/api/v1/site', siteOf('Harmless'))],
  'GET /api/v1/meters': () => [{ path: '/api/v1/meters' }],
  'GET /api/v1/meters/{id}': (ids) => each([ids.meter, ids.twin], (id) => ({ path: `/api/v1/meters/${id}` })),
  'PUT /api/v1/meters/{id}': (ids) => [
    json(`/api/v1/meters/probe-sum`, {
      ...{ name: 'probe', role: 'load', device: null, channel: 'main', parent: null },
      virtual: [{ meter: ids.meter, factor: 1 }],
    }),
    json(`/api/v1/meters/${ids.meter}`, {
      ...{ name: 'probe', role: 'load', device: ids.device, channel: 'main', parent: ids.meter, virtual: null },
    }),
  ],
  'DELETE /api/v1/meters/{id}': (ids) => [{ path: `/api/v1/meters/${ids.meter}` }],
  'GET /api/v1/people': () => [{ path: '/api/v1/people' }],
  'POST /api/v1/people': (ids) => [
    json('/api/v1/people', { login: ids.login, name: 'probe', role: 'admin', password: 'a long enough one' }),
  ],
  'PATCH /api/v1/people/{id}': (ids) => [
    json(`/api/v1/people/${ids.person}`, { name: 'probe', password: 'a long enough one', disabled: true }),
  ],
  'DELETE /api/v1/people/{id}': (ids) => [{ path: `/api/v1/people/${ids.person}` }],
  'GET /api/v1/me': () => [{ path: '/api/v1/me' }],
  'PATCH /api/v1/me': () => [json('/api/v1/me', { language: 'de' })],
  'GET /api/v1/keys': () => [{ path: '/api/v1/keys' }],
  'POST /api/v1/keys': () => [json('/api/v1/keys', { name: 'probe', role: 'user' })],
  'DELETE /api/v1/keys/{id}': (ids) => [{ path: `/api/v1/keys/${ids.key}` }],
  'POST /api/v1/token': () => [{ path: '/api/v1/token' }],
  'DELETE /api/v1/people/{id}/second-factor': (ids) => [{ path: `/api/v1/people/${ids.person}/second-factor` }],
  'GET /api/v1/second-factor': () => [{ path: '/api/v1/second-factor' }],
  'PUT /api/v1/second-factor': () => [json('/api/v1/second-factor', { roles: ['user'] })],
  'GET /api/v1/audit/state': () => [{ path: '/api/v1/audit/state' }],
  'GET /api/v1/audit/export': () => [{ path: '/api/v1/audit/export' }],
  'GET /api/v1/audit': () => [{ path: '/api/v1/audit' }, { path: '/api/v1/audit?limit=1000&before=1000000' }],
  'GET /api/v1/allowed-hosts': () => [{ path: '/api/v1/allowed-hosts' }],
  'POST /api/v1/allowed-hosts': () => [json('/api/v1/allowed-hosts', { host: 'probe.local' })],
  'DELETE /api/v1/allowed-hosts/{host}': () => [{ path: '/api/v1/allowed-hosts/probe.local' }],
  'GET /api/v1/jobs': () => [{ path: '/api/v1/jobs' }],
  'GET /api/v1/backups': () => [{ path: '/api/v1/backups' }],
  'POST /api/v1/backups': () => [{ path: '/api/v1/backups' }],
  'GET /api/v1/plan': () => [{ path: '/api/v1/plan' }],
  'GET /api/v1/plan.ics': () => [{ path: '/api/v1/plan.ics' }],
  'POST /api/v1/plan/refresh': () => [{ path: '/api/v1/plan/refresh' }],
  'POST /api/v1/plan/what-if': () => [json('/api/v1/plan/what-if', { battery_kWh: 5 })],
  'GET /api/v1/plan/devices': () => [{ path: '/api/v1/plan/devices' }],
  'PUT /api/v1/plan/devices/{id}': (ids) =>
    each([ids.meter, ids.twin], (meter) =>
      json('/api/v1/plan/devices/probe', {
        ...{ kind: 'battery', name: 'probe', capacity_kWh: 5, charge_W: 1000, discharge_W: 1000, soc_meter: meter },
      }),
    ),
  'DELETE /api/v1/plan/devices/{id}': (ids) =>
    each([ids.device, 'probe'], (id) => ({ path: `/api/v1/plan/devices/${id}` })),
  'GET /api/v1/plan/settings': () => [{ path: '/api/v1/plan/settings' }],
  'PUT /api/v1/plan/settings': () => [json('/api/v1/plan/settings', { horizon_h: 24 })],
  'GET /api/v1/plan/overrides': () => [{ path: '/api/v1/plan/overrides' }],
  'POST /api/v1/plan/overrides/cost': (ids) => [
    json('/api/v1/plan/overrides/cost', { device: ids.device, from: FROM, to: TO, power_W: 1 }),
  ],
  'POST /api/v1/plan/overrides': (ids) => [
    json('/api/v1/plan/overrides', { device: ids.device, from: FROM, to: TO, power_W: 1 }),
  ],
  'DELETE /api/v1/plan/overrides/{id}': (ids) => [{ path: `/api/v1/plan/overrides/${ids.decision}` }],
  'GET /api/v1/plan/setpoints': () => [{ path: '/api/v1/plan/setpoints' }],
  'GET /api/v1/grid-signals': () => [{ path: '/api/v1/grid-signals' }, { path: '/api/v1/grid-signals?format=csv' }],
  'POST /api/v1/grid-signals': () => [json('/api/v1/grid-signals', { limit_W: 4200 })],
  'DELETE /api/v1/grid-signals': () => [{ path: '/api/v1/grid-signals' }],
  'GET /api/v1/grid-signals/inputs': () => [{ path: '/api/v1/grid-signals/inputs' }],
  'PUT /api/v1/grid-signals/inputs': (ids) => [json('/api/v1/grid-signals/inputs', { mqtt: { device: ids.device } })],
  'GET /api/v1/savings/{month}': () => [{ path: `/api/v1/savings/${FROM.slice(0, 7)}` }],
  'POST /api/v1/simulations': () => [
    // a month without readings: the job would only take time
    json('/api/v1/simulations', { from: '2020-01', to: '2020-01', capacity_kWh: 5, power_kW: 2 }),
  ],
  'GET /api/v1/simulations': () => [{ path: '/api/v1/simulations' }],
  'GET /api/v1/simulations/{id}': (ids) => [{ path: `/api/v1/simulations/${ids.decision}` }],
  'POST /evcc/{key}/optimize/charge-schedule': (ids) => [
    json(`/evcc/${ids.key}/optimize/charge-schedule`, {
      ...{ batteries: [], time_series: { dt: [900], gt: [0], ft: [0], p_N: [0], p_E: [0] } },
    }),
  ],
  'GET /evcc/{key}/optimize/health': (ids) => [{ path: `/evcc/${ids.key}/optimize/health` }],
  'GET /healthz': () => [{ path: '/healthz' }],
  'GET /readyz': () => [{ path: '/readyz' }],
  'GET /metrics': () => [{ path: '/metrics' }],
};
