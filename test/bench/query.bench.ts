/** Questions to a year of 200 meters, through the API and put to the store directly. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { DuckDBInstance } from '@duckdb/node-api';
import pg from 'pg';
import { openDuckDbSeries } from '../../connectors/series/duckdb/duckdb.ts';
import { idsSql, periodSql } from '../../connectors/series/periods.ts';
import { openQuestDbSeries } from '../../connectors/series/questdb/questdb.ts';
import { totalsSql } from '../../connectors/series/questdb/slots.ts';
import { dayBounds, SLOT_MS } from '../../engine/model/time.ts';
import { installQuestdb } from '../../scripts/test-tools.ts';
import { setTestEnvironment } from '../setup/environment.ts';
import type { BenchOptions, BenchResult } from './options.ts';
import { METERS, meterName, QUANTITY, SERIES_COUNT, TENANT, YEAR, yearOf } from './query-data.ts';

export const about =
  'Questions to a year of slots of 200 meters through GET /api/v1/data/query, p95 of 100 runs: --series duckdb|questdb [--runs 100].';

type Place = { kind: 'duckdb' | 'questdb'; where: string; end(): Promise<void> };
/** Resolves when the whole answer is here, with a function that counts its rows. */
type Ask = () => Promise<() => number>;
type Asked = { daily: Ask; raw: Ask; fleet: Ask; end(): Promise<void> };

const ZONE = 'Europe/Berlin';
const SLOTS = YEAR.slots;
const DAYS = dayBounds(YEAR.from_ms, YEAR.to_ms, ZONE);
/** The number of the local day, for DuckDB. */
const PERIOD = periodSql(
  DAYS.map((at_ms) => at_ms / SLOT_MS),
  '"at"',
  '//',
);

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const kind = options.series === 'questdb' ? 'questdb' : 'duckdb';
  const runs = Number(options.runs ?? 100);
  const place = await openPlace(kind, progress);
  try {
    progress(`loading ${METERS} meters × ${SLOTS} slots into ${kind}`);
    await load(place, progress);
    progress('asking the store directly');
    const direct = await measure(await askDirectly(place), runs, progress);
    progress('asking through the API');
    const api = await measure(await askApi(place), runs, progress);
    return {
      series: kind,
      meters: METERS,
      runs,
      daily_p95_ms: api.daily,
      raw_p95_ms: api.raw,
      fleet_p95_ms: api.fleet,
      daily_direct_p95_ms: direct.daily,
      raw_direct_p95_ms: direct.raw,
      fleet_direct_p95_ms: direct.fleet,
    };
  } finally {
    await place.end();
  }
}

async function openPlace(kind: Place['kind'], progress: (line: string) => void): Promise<Place> {
  if (kind === 'questdb') {
    await installQuestdb(progress);
    setTestEnvironment();
    const { hasQuestdb, startQuestdb } = await import('../setup/questdb.ts');
    if (!hasQuestdb) throw new Error('a real QuestDB needs a JDK of 17 or newer: install one, or set LUNA_TEST_JAVA');
    const server = await startQuestdb();
    return { kind, where: `questdb://127.0.0.1:${server.http_port}?pg=${server.pg_port}`, end: () => server.stop() };
  }
  const dir = mkdtempSync(join(tmpdir(), 'luna-bench-'));
  return { kind, where: join(dir, 'series.duckdb'), end: async () => rmSync(dir, { recursive: true, force: true }) };
}

async function load({ kind, where }: Place, progress: (line: string) => void): Promise<void> {
  const store = await (kind === 'duckdb'
    ? openDuckDbSeries({ file: where, memory: '1GB' })
    : openQuestDbSeries({ url: where }));
  const begun = performance.now();
  for (let index = 0; index < SERIES_COUNT; index++) {
    const meter = meterName(index);
    await store.slots.replace(TENANT, { meter, quantity: QUANTITY, ...YEAR }, yearOf(index), []);
    if ((index + 1) % 50 === 0) progress(`  ${index + 1} meters after ${Math.round(performance.now() - begun)} ms`);
  }
  // All rows show before anybody asks.
  await store.slots.totals(TENANT, { meters: [meterName(0)], quantity: QUANTITY, bounds_ms: DAYS, aggregate: 'sum' });
  await store.close();
}

/** The store's own client library, rows as objects, and the quickest SQL we know for the question. */
async function askDirectly(place: Place): Promise<Asked> {
  return place.kind === 'duckdb' ? askDuckDb(place.where) : askQuestDb(place.where);
}

async function askDuckDb(file: string): Promise<Asked> {
  const instance = await DuckDBInstance.create(file, { threads: '2', memory_limit: '1GB', access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  const rows = async (sql: string) => {
    const found = (await connection.runAndReadAll(sql)).getRowObjects();
    return () => found.length;
  };
  const inYear = `"at" >= ${DAYS[0]! / SLOT_MS} and "at" < ${DAYS.at(-1)! / SLOT_MS}`;
  const found = await connection.runAndReadAll('select id from series where meter = $meter', { meter: meterName(7) });
  const one = `series = ${found.getRows()[0]![0]}`;
  const sums = (where: string) =>
    `select series, ${PERIOD} as period, sum(value), bit_or(quality), count(value) from slot where ${where} and ${inYear} group by all`;
  return {
    daily: () => rows(sums(one)),
    raw: () =>
      rows(
        `select "at", value, quality from slot where ${one} and "at" >= ${YEAR.from_ms / SLOT_MS} and "at" < ${YEAR.to_ms / SLOT_MS} order by "at"`,
      ),
    fleet: () => rows(sums('true')),
    async end() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

async function askQuestDb(url: string): Promise<Asked> {
  const port = Number(new URL(url.replace('questdb:', 'http:')).searchParams.get('pg'));
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'admin', password: 'quest', database: 'qdb' });
  await client.connect();
  const rows = async (sql: string) => {
    const found = (await client.query(sql)).rows;
    return () => found.length;
  };
  const { rows: ids } = await client.query<{ id: number; meter: string }>('select id, meter from luna_series');
  const one = `series = ${ids.find((row) => row.meter === meterName(7))!.id}`;
  const time = (from_ms: number, to_ms: number) => `at >= ${from_ms}000 and at < ${to_ms}000`;
  const sums = (where: string) => rows(totalsSql(DAYS, where, 'sum'));
  const all = idsSql(
    ids.map((row) => row.id),
    'series',
  );
  return {
    daily: () => sums(one),
    raw: () =>
      rows(
        `select cast(at as long) / 1000 as at_ms, value, quality from luna_slot where ${one} and ${time(YEAR.from_ms, YEAR.to_ms)} order by at`,
      ),
    fleet: () => sums(all),
    end: () => client.end(),
  };
}

/** The API of a child process that holds the store in its series worker, as the box does. */
async function askApi({ kind, where }: Place): Promise<Asked> {
  const script = join(import.meta.dirname, 'query-server.ts');
  const child: ChildProcess = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, kind, where], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const [message] = (await once(child, 'message')) as [{ port: number }];
  const range = `quantity=${QUANTITY}&from=${YEAR.from_ms}&to=${YEAR.to_ms}&tz=${encodeURIComponent(ZONE)}`;
  const agent = new Agent({ keepAlive: true });
  const get = async (query: string) => {
    const path = `/api/v1/data/query?${query}&${range}`;
    const asked = request({ host: '127.0.0.1', port: message.port, path, agent }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const body = await buffer(answer);
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${body}`);
    return () => body.toString().split('"at"').length - 1;
  };
  return {
    daily: () => get(`meter=${meterName(7)}&resolution=day`),
    raw: () => get(`meter=${meterName(7)}&resolution=slot`),
    fleet: () => get('resolution=day'),
    async end() {
      const ended = once(child, 'exit');
      agent.destroy();
      child.send('end');
      await ended;
    },
  };
}

async function measure(asked: Asked, runs: number, progress: (line: string) => void) {
  const expected = { daily: DAYS.length - 1, raw: SLOTS, fleet: METERS * (DAYS.length - 1) };
  const result = { daily: 0, raw: 0, fleet: 0 };
  try {
    for (const name of ['daily', 'raw', 'fleet'] as const) {
      const took: number[] = [];
      for (let index = -5; index < runs; index++) {
        const begun = performance.now();
        const rows = await asked[name]();
        if (index >= 0) took.push(performance.now() - begun);
        else if (rows() !== expected[name]) throw new Error(`${name}: ${rows()} rows instead of ${expected[name]}`);
      }
      result[name] = percentile(took, 0.95);
      progress(`  ${name}: p50 ${percentile(took, 0.5)} ms, p95 ${result[name]} ms`);
    }
  } finally {
    await asked.end();
  }
  return result;
}

function percentile(took: readonly number[], share: number): number {
  const sorted = took.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.ceil(sorted.length * share) - 1]! * 10) / 10;
}
