/**
 * Grafana dashboards as JSON from the one description below: `make dashboards` writes compose/grafana/dashboards.
 * Tests hold the files against this description, and every metric in it against the catalogue of the box.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const FOLDER = join(import.meta.dirname, '../compose/grafana/dashboards');

export type Panel = {
  title: string;
  /** What it says to whoever does not know it. */
  about: string;
  unit: 's' | 'bytes' | 'short' | 'reqps' | 'percentunit' | 'bool';
  kind?: 'timeseries' | 'stat';
  /** Legend → PromQL. */
  queries: Readonly<Record<string, string>>;
};
export type Dashboard = { uid: string; title: string; panels: readonly Panel[] };

const quantile = (q: number, metric: string, by = '', where = '') =>
  `histogram_quantile(${q}, sum by (le${by && `, ${by}`}) (rate(${metric}_bucket${where}[5m])))`;
const rate = (metric: string, by: string) => `sum by (${by}) (rate(${metric}[5m]))`;

export const DASHBOARDS: readonly Dashboard[] = [
  {
    uid: 'luna-box',
    title: 'Luna: the box',
    panels: [
      {
        title: 'Parts',
        about: '1 works, 0 does not; Admin, Health says why.',
        unit: 'bool',
        kind: 'stat',
        queries: { '{{part}}': 'luna_part_up' },
      },
      {
        title: 'Readings that nothing accounts for',
        about: 'Must be 0.',
        unit: 'short',
        kind: 'stat',
        queries: { missing: 'luna_readings_missing' },
      },
      {
        title: 'Age of the newest restorable state',
        about: 'At most 15 minutes while backups run.',
        unit: 's',
        kind: 'stat',
        queries: { age: 'luna_backup_age_seconds' },
      },
      {
        title: 'Free disk',
        about: 'On the disk of LUNA_HOME.',
        unit: 'bytes',
        kind: 'stat',
        queries: { free: 'luna_disk_free_bytes' },
      },
      {
        title: 'Acknowledgement',
        about: 'From arrival to fsync.',
        unit: 's',
        queries: { p50: quantile(0.5, 'luna_ingest_seconds'), p99: quantile(0.99, 'luna_ingest_seconds') },
      },
      {
        title: 'Pages',
        about: 'GET requests by route.',
        unit: 's',
        queries: { '{{route}}': quantile(0.95, 'luna_http_seconds', 'route', '{method="GET"}') },
      },
      {
        title: 'Requests',
        about: 'By status.',
        unit: 'reqps',
        queries: { '{{status}}': rate('luna_http_seconds_count', 'status') },
      },
      { title: 'Journal', about: 'Bytes on disk.', unit: 'bytes', queries: { journal: 'luna_journal_bytes' } },
      {
        title: 'Waiting for the series store',
        about: 'Journal records; nothing is lost while they wait.',
        unit: 'short',
        queries: { records: 'luna_drain_lag_records' },
      },
      {
        title: 'Questions to the series store',
        about: 'p95 by table and operation.',
        unit: 's',
        queries: { '{{table}} {{operation}}': quantile(0.95, 'luna_query_seconds', 'table, operation') },
      },
      {
        title: 'Memory',
        about: 'Of the process.',
        unit: 'bytes',
        queries: { resident: 'process_resident_memory_bytes', heap: 'nodejs_heap_size_used_bytes' },
      },
      {
        title: 'Event loop',
        about: 'Delay of the thread that answers meters and browsers.',
        unit: 's',
        queries: { p99: 'nodejs_eventloop_lag_p99_seconds' },
      },
    ],
  },
  {
    uid: 'luna-meters',
    title: 'Luna: meters',
    panels: [
      {
        title: 'Readings',
        about: 'By source and outcome.',
        unit: 'reqps',
        queries: { '{{source}} {{outcome}}': rate('luna_readings_total', 'source, outcome') },
      },
      {
        title: 'Received',
        about: 'Since the box was set up.',
        unit: 'short',
        queries: { '{{source}}': 'luna_readings_received' },
      },
      {
        title: 'Rejected',
        about: 'With a reason, which Quality shows.',
        unit: 'short',
        queries: { '{{source}}': 'luna_readings_rejected' },
      },
      {
        title: 'Dead-lettered',
        about: 'Refused by the series store: ./luna dead-letters list.',
        unit: 'short',
        queries: { '{{source}}': 'luna_readings_dead_lettered' },
      },
      { title: 'MQTT clients', about: 'Connected now.', unit: 'short', queries: { clients: 'luna_mqtt_clients' } },
      {
        title: 'Refused by the broker',
        about: 'By reason.',
        unit: 'reqps',
        queries: { '{{reason}}': rate('luna_mqtt_refused_total', 'reason') },
      },
      {
        title: 'Modbus',
        about: 'Requests by outcome.',
        unit: 'reqps',
        queries: { '{{outcome}}': rate('luna_modbus_reads_total', 'outcome') },
      },
    ],
  },
  {
    uid: 'luna-forecasts',
    title: 'Luna: forecasts and models',
    panels: [
      {
        title: 'Forecasts made',
        about: 'In the last day, by series and model.',
        unit: 'short',
        queries: {
          '{{series}} {{model}}': 'sum by (series, model) (increase(luna_forecasts_total{outcome="made"}[1d]))',
        },
      },
      {
        title: 'Forecasts not made',
        about: 'In the last day, by reason.',
        unit: 'short',
        queries: {
          '{{series}} {{outcome}}': 'sum by (series, outcome) (increase(luna_forecasts_total{outcome!="made"}[1d]))',
        },
      },
      {
        title: 'Providers',
        about: 'Runs of price and weather sources.',
        unit: 'short',
        queries: { '{{provider}} {{outcome}}': 'sum by (provider, outcome) (increase(luna_provider_runs_total[1h]))' },
      },
      {
        title: 'Advice',
        about: 'Decisions and feedback.',
        unit: 'short',
        queries: { '{{outcome}}': 'sum by (outcome) (increase(luna_decisions_total[1d]))' },
      },
    ],
  },
  {
    uid: 'luna-answers',
    title: 'Luna: answers',
    panels: [
      {
        title: 'Questions',
        about: 'By outcome; abstaining is an outcome.',
        unit: 'short',
        queries: { '{{outcome}}': 'sum by (outcome) (increase(luna_questions_total[1h]))' },
      },
      {
        title: 'Time to answer',
        about: 'p50 and p95.',
        unit: 's',
        queries: {
          p50: quantile(0.5, 'luna_http_seconds', '', '{method="POST",route=~"/ask|/api/v1/ask"}'),
          p95: quantile(0.95, 'luna_http_seconds', '', '{method="POST",route=~"/ask|/api/v1/ask"}'),
        },
      },
    ],
  },
  {
    uid: 'luna-jobs',
    title: 'Luna: jobs',
    panels: [
      {
        title: 'Queues',
        about: 'Waiting and running.',
        unit: 'short',
        queries: { '{{queue}} {{state}}': 'luna_jobs{state!="failed"}' },
      },
      {
        title: 'Failed for good',
        about: 'Dead letters of the queue.',
        unit: 'short',
        kind: 'stat',
        queries: { '{{queue}}': 'luna_jobs{state="failed"}' },
      },
      {
        title: 'Run time',
        about: 'p95 by queue.',
        unit: 's',
        queries: { '{{queue}}': quantile(0.95, 'luna_job_seconds', 'queue') },
      },
      {
        title: 'Backups',
        about: 'Backups and their continuations.',
        unit: 'short',
        queries: { '{{what}} {{outcome}}': 'sum by (what, outcome) (increase(luna_backups_total[1d]))' },
      },
      {
        title: 'Messages',
        about: 'About alerts, by outcome.',
        unit: 'short',
        queries: { '{{outcome}}': 'sum by (outcome) (increase(luna_notifications_total[1d]))' },
      },
    ],
  },
];

const DATASOURCE = { type: 'prometheus', uid: 'prometheus' };
const [WIDTH, HEIGHT, COLUMNS] = [8, 7, 3];

/** @returns the dashboard as Grafana imports it. */
export function grafanaOf({ uid, title, panels }: Dashboard): object {
  return {
    ...{ uid, title, schemaVersion: 41, version: 1, editable: false, tags: ['luna'], timezone: 'browser' },
    ...{ refresh: '30s', time: { from: 'now-24h', to: 'now' } },
    panels: panels.map(({ title, about, unit, kind = 'timeseries', queries }, index) => ({
      ...{ id: index + 1, title, description: about, type: kind, datasource: DATASOURCE },
      gridPos: { w: WIDTH, h: HEIGHT, x: (index % COLUMNS) * WIDTH, y: Math.floor(index / COLUMNS) * HEIGHT },
      fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
      targets: Object.entries(queries).map(([legendFormat, expr], n) => ({
        ...{ refId: String.fromCharCode(65 + n), datasource: DATASOURCE, expr, legendFormat },
      })),
    })),
  };
}

/** File name → text. */
export function dashboardFiles(): Record<string, string> {
  return Object.fromEntries(
    DASHBOARDS.map((one) => [`${one.uid}.json`, `${JSON.stringify(grafanaOf(one), null, 2)}\n`]),
  );
}

/** Names of metrics in a PromQL expression; recorded ones have colons. */
export function metricsIn(expr: string): string[] {
  const bare = expr
    .replace(/"[^"]*"/g, '')
    .replace(/\{[^}]*\}/g, '')
    .replace(/\b(by|without|on) *\([^)]*\)/g, '');
  return [...bare.matchAll(/\b[a-z_][a-z0-9_:]*\b(?! *\()/g)]
    .map(([name]) => name)
    .filter((name) => /[_:]/.test(name) || name === 'up');
}

if (import.meta.main) {
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, text] of Object.entries(dashboardFiles())) writeFileSync(join(FOLDER, name), text);
}
