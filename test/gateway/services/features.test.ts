import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { InvalidDataError } from '../../../engine/errors.ts';
import { createDayMix } from '../../../engine/forecast/box/day-mix.ts';
import type { History, KnownWeather } from '../../../engine/forecast/box/model-port.ts';
import { WEATHER_LEAD_MS } from '../../../engine/forecast/box/slot-panel.ts';
import type * as boost from '../../../engine/forecast/trees/boost.ts';
import { HOUR_MS, instantOf, localTime } from '../../../engine/model/time.ts';
import { createFeatureService, type FeatureDeps } from '../../../gateway/services/features.ts';
import { gatherHistory, historyFrom } from '../../../gateway/services/forecasts/history.ts';
import { hashOf } from '../../../gateway/services/models/training.ts';
import { openTestDatabase, type TestDatabase } from '../../setup/database.ts';
import { measuredLoad } from '../../setup/judged-models.ts';

/** What trees learned from, training by training. */
const learned: { columns: Float64Array[]; target: Float64Array }[] = [];
vi.mock('../../../engine/forecast/trees/boost.ts', async (original) => {
  const real = await original<typeof boost>();
  return {
    ...real,
    trainBooster(columns: Float64Array[], target: Float64Array, options: boost.BoostOptions) {
      learned.push({ columns: columns.map((column) => column.slice()), target: target.slice() });
      return real.trainBooster(columns, target, { ...options, rounds: 2 });
    },
  };
});

// Takes most of the time, and is no part of the table.
vi.mock('../../../engine/forecast/hourly-ridge.ts', () => ({
  createHourlyRidge: () => ({
    name: 'hourly-ridge/1',
    forecast: () => {
      throw new InvalidDataError('It is not asked here.', 'Ask another.');
    },
  }),
}));

const TZ = 'Europe/Berlin';
const DAY_MS = 24 * HOUR_MS;
const DAYS = 60;
const SPRING = instantOf(TZ, 2026, 4, 10, 14, 7);
const AUTUMN = instantOf(TZ, 2026, 11, 5, 14, 7);

function load(at_ms: number): number {
  const { hour } = localTime(at_ms, TZ);
  return 5000 + 1500 * Math.sin(((hour - 6) / 24) * 2 * Math.PI) + 400 * Math.sin(at_ms / (2.3 * DAY_MS));
}

/** Forecasts of the weather for the days of a history, as known a day and more before. */
function weather(now_ms: number, value = (at_ms: number) => 10 + 8 * Math.sin(at_ms / (3 * DAY_MS))): KnownWeather[] {
  const from = Math.ceil((now_ms - DAYS * DAY_MS) / HOUR_MS) * HOUR_MS;
  const at_ms = Float64Array.from({ length: (DAYS + 1) * 24 }, (_, k) => from + k * HOUR_MS);
  return Object.values(WEATHER_LEAD_MS).map((lead_ms) => ({
    ...{ name: 'temperature', unit: '°C', lead_ms, at_ms, values: at_ms.map(value) },
  }));
}

describe('the feature table', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let tenant: string;
  let number = 0;
  let now_ms = SPRING;
  let deps: FeatureDeps;

  beforeAll(async () => {
    database = await openTestDatabase();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    tenant = `features-${process.pid}-${number++}`;
    now_ms = SPRING;
    learned.length = 0;
    await database.db.asSystem((sql) => sql('insert into tenant (id, name) values ($1, $1)', [tenant]));
    deps = {
      ...{ db: database.db, log: pino({ level: 'silent' }), clock: { now: () => now_ms }, code_version: '1.0.0+abc' },
      jobs: { define: () => {}, schedule: () => {} },
      site: {
        tenants: () => [tenant],
        get: () => ({
          ...{ tenant, id: 'works', name: 'Works', place: '', latitude: null, longitude: null, demo: false },
          ...{ time_zone: TZ, country: 'DE', currency: 'EUR' },
        }),
      },
      balance: (...asked) => measuredLoad(load, now_ms - DAYS * DAY_MS, () => now_ms)(...asked),
      market: async () => Promise.reject(new Error('no prices here')),
      tariffs: { area: () => null },
    };
  });

  type Row = { at: Date; names: string[]; values: (number | null)[]; source_version: string; created_at: Date };
  const rows = (series: string) =>
    database.db.asTenant(tenant, (sql) =>
      sql<Row>('select * from features_hourly where series = $1 order by at', [series]),
    );
  const history = async (): Promise<History> => historyFrom('load', await gatherHistory(deps, tenant, 'load'));

  for (const [what, recipe, known] of [
    ['trees', createDayMix('load', 'day-ahead'), false],
    ['trees that see the weather', createDayMix('load', 'day-ahead', { weather: true }), true],
  ] as const)
    it(`has what ${what} learn from, to the last bit`, async () => {
      if (known) deps.weather = { known: async () => weather(now_ms) };
      expect(await createFeatureService(deps).build(tenant, { series: 'load', days: 400 })).toEqual({
        load: expect.any(Number),
      });
      recipe.train(await history(), 1, () => {});
      const { columns, target } = learned.findLast((one) => one.columns.length === (known ? 52 : 46))!;
      const stored = await rows('load');
      expect(stored[0]!.names).toHaveLength(columns.length);
      const byHour = new Map(stored.map(({ at, values }) => [at.getTime(), values]));
      // Rows of training are those of whole local days of 24 hours, up to the day under way.
      const first = stored[0]!.at.getTime();
      let [compared, differing] = [0, 0];
      for (let row = 0; row < target.length; row++) {
        const [day, hour] = [Math.floor(row / 24), row % 24];
        const date = new Date(first + day * DAY_MS + 12 * HOUR_MS);
        const at = instantOf(TZ, date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), hour);
        const values = byHour.get(at)!;
        if (localTime(at, TZ).hour !== hour) continue;
        differing += columns.filter((column, f) => !Object.is(column[row]!, values[f] ?? NaN)).length;
        compared++;
      }
      expect(compared).toBeGreaterThan(30 * 24 - 2);
      expect(differing).toBe(0);
    });

  it('says which code made a row and when, and replaces it when it is built anew', async () => {
    await createFeatureService(deps).build(tenant, { series: 'load', days: 5 });
    const before = await rows('load');
    expect(before.every(({ source_version }) => source_version === '1.0.0+abc')).toBe(true);
    expect(new Set(before.map(({ created_at }) => created_at.getTime()))).toEqual(new Set([SPRING]));
    now_ms += HOUR_MS;
    await createFeatureService({ ...deps, code_version: '1.0.1+def' }).build(tenant, { days: 2 });
    const after = await rows('load');
    expect(after).toHaveLength(before.length);
    expect(new Set(after.slice(-48).map(({ source_version }) => source_version))).toEqual(new Set(['1.0.1+def']));
    expect(after.at(-1)!.created_at.getTime()).toBe(SPRING + HOUR_MS);
    expect(after[0]!.created_at.getTime()).toBe(SPRING);
  });

  it('has a row for each hour of days on which clocks change, at its instant', async () => {
    for (const [now, day, hours] of [
      [SPRING, instantOf(TZ, 2026, 3, 29), 23],
      [AUTUMN, instantOf(TZ, 2026, 10, 25), 24],
    ] as const) {
      now_ms = now;
      await createFeatureService(deps).build(tenant, { series: 'load', days: 400 });
      const [ofDay, next] = [
        (await rows('load')).filter(({ at }) => at.getTime() >= day),
        day + (hours === 23 ? 23 : 25) * HOUR_MS,
      ];
      const found = ofDay.filter(({ at }) => at.getTime() < next);
      expect(found.map(({ at }) => localTime(at.getTime(), TZ).hour)).toEqual(
        Array.from({ length: 24 }, (_, hour) => hour).filter((hour) => hours === 24 || hour !== 2),
      );
      const index = found[0]!.names.indexOf('hour');
      for (const { at, values } of found) expect(values[index]).toBe(localTime(at.getTime(), TZ).hour);
      expect(ofDay.find(({ at }) => at.getTime() === next)!.values[index]).toBe(0);
    }
  });

  it('has the columns of generation, the height of the sun among them', async () => {
    const measured = measuredLoad(load, now_ms - DAYS * DAY_MS, () => now_ms);
    deps.balance = (of, _, ...span) => measured(of, 'load', ...span);
    await createFeatureService(deps).build(tenant, { series: 'generation', days: 3 });
    const [row] = await rows('generation');
    expect(row!.names.at(-1)).toBe('sun');
    expect(row!.values).toHaveLength(row!.names.length);
  });

  it('is kept up at night: all at first and after a change of the code, then the newest days', async () => {
    let work = async () => {};
    const built: number[] = [];
    const count = async () => (await rows('load')).length;
    const started = (code_version: string) => {
      const define = (_: string, run: () => Promise<void>) => {
        work = run;
      };
      const jobs = { define, schedule: () => {} } as unknown as FeatureDeps['jobs'];
      createFeatureService({ ...deps, code_version, jobs }).start();
    };
    started('one');
    await work();
    built.push(await count());
    expect(built[0]).toBeGreaterThan(30 * 24 - 2);
    now_ms += HOUR_MS;
    await work();
    const renewed = (await rows('load')).filter(({ created_at }) => created_at.getTime() === now_ms);
    expect(renewed).toHaveLength(8 * 24);
    started('two');
    now_ms += HOUR_MS;
    await work();
    expect(new Set((await rows('load')).map(({ source_version }) => source_version))).toEqual(new Set(['two']));
  });

  it('knows nothing of tomorrow: whatever comes after midnight, the rows and what is learned stay the same', async () => {
    const midnight = instantOf(TZ, 2026, 4, 10);
    const made = async (later: number, warm: number) => {
      learned.length = 0;
      const of = (at: number) => (at >= midnight ? later : load(at));
      deps.balance = (...asked) => measuredLoad(of, now_ms - DAYS * DAY_MS, () => now_ms)(...asked);
      deps.weather = {
        known: async () => weather(now_ms, (at) => (at - 25 * HOUR_MS > midnight ? warm : 10 + Math.sin(at / DAY_MS))),
      };
      await createFeatureService(deps).build(tenant, { series: 'load', days: 400 });
      const table = (await rows('load')).map(({ values }) => values);
      createDayMix('load', 'day-ahead', { weather: true }).train(await history(), 1, () => {});
      const bytes = learned
        .flatMap((one) => [...one.columns, one.target])
        .map(({ buffer }) => hashOf(new Uint8Array(buffer)));
      return { table: JSON.stringify(table), learned: bytes };
    };
    const [a, b] = [await made(0, 0), await made(9e6, 99)];
    expect(b.table === a.table).toBe(true);
    expect(b.learned).toEqual(a.learned);
    expect(a.learned.length).toBeGreaterThan(1);
  });
});
