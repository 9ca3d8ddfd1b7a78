import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InvalidDataError, UnavailableError } from '../../../engine/errors.ts';
import { Quality } from '../../../engine/model/quality.ts';
import type { Reading, ReadingGroup } from '../../../engine/model/reading.ts';
import type { Intake, LunaEvent } from '../../../engine/ports.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { createIntake } from '../../../gateway/services/intake.ts';
import { createLiveValues } from '../../../gateway/services/live.ts';
import { createLoadService } from '../../../gateway/services/loads.ts';
import type { Actor, NewDevice, SiteService } from '../../../gateway/services.ts';
import { createUploadReader, type UploadReader } from '../../../gateway/workers/upload-reader.ts';
import { openTestDatabase, type TestDatabase } from '../../setup/database.ts';
import { meterPoint } from '../broker/rig.ts';

const ADMIN: Actor = { tenant: 'default', person: 'anna', role: 'admin', language: 'en' };
const ANALYST: Actor = { ...ADMIN, role: 'analyst' };
const NOW = Date.parse('2026-06-01T12:00:00Z');
const bytesOf = (text: string) => new TextEncoder().encode(text);
const csv = (name: string, ...lines: string[]) => ({ name, bytes: bytesOf(lines.join('\n')) });

let database: TestDatabase;
let uploads: UploadReader;
let loads: ReturnType<typeof createLoadService>;
let stored: Reading[];
let groups: ReadingGroup[];
let events: LunaEvent[];
let created: NewDevice[];
let intake: Intake;
beforeAll(async () => {
  database = await openTestDatabase();
  await database.db.asSystem((sql) =>
    sql("insert into tenant (id, name) values ('default', 'Default') on conflict do nothing"),
  );
});
afterAll(() => database.close());

beforeEach(async () => {
  await database.db.asTenant('default', (sql) => sql('delete from data_load'));
  [stored, groups, events, created] = [[], [], [], []];
  const points = [meterPoint('hall'), meterPoint('office')];
  let changed = () => {};
  const bus = {
    publish: (event: LunaEvent) => void events.push(event),
    subscribe: () => () => {},
    close: async () => {},
  };
  const clock = { now: () => NOW };
  intake = createIntake({
    ...{ clock, bus, metrics: createMetrics({ defaults: false }), live: createLiveValues() },
    journal: {
      append: async (appended) => {
        groups.push(...appended);
        stored.push(...appended.flatMap((group) => group.readings));
        return groups.length;
      },
    },
    meters: {
      list: () => points,
      onChange: (listener) => {
        changed = listener;
        return () => {};
      },
    },
  }).intake;
  uploads = createUploadReader({ folder: join(database.home, 'uploads') });
  loads = createLoadService({
    uploads,
    ...{ db: database.db, clock, bus, intake: (group) => intake(group) },
    site: { get: () => ({ time_zone: 'Europe/Berlin' }) as ReturnType<SiteService['get']> },
    meters: { get: (_tenant, id) => points.find((point) => point.id === id) ?? null },
    devices: {
      async create(_actor, device) {
        if (!/^[a-z]+$/.test(device.id)) throw new InvalidDataError('no id');
        created.push(device);
        points.push(meterPoint(device.id));
        changed();
        return { id: device.id, username: null, password: null, topic: null, meters: [device.id] };
      },
    },
  });
});

describe('loading files', () => {
  it('reports by line what was accepted, flagged and refused', async () => {
    const file = csv(
      'mixed.csv',
      'at,meter,power_W,import_kWh',
      '2026-05-01T00:00Z,hall,100,5',
      '2026-05-01T00:15Z,hall,,6',
      'soon,hall,1,1',
      '2026-05-01T00:30Z,nowhere,1,1',
      '',
      '2026-05-01T00:45Z,office,5e9,x',
    );
    const report = await loads.load(ANALYST, file);
    expect(report).toMatchObject({ lines: 5, accepted: 3, flagged: 1, rejected: 4, unchanged: false });
    expect(report.faults.map(({ line, problem }) => `${line} ${problem}`).sort()).toEqual([
      expect.stringMatching(/^4 "soon" is no time/),
      expect.stringMatching(/^5 There is no meter point "nowhere"; add it/),
      expect.stringMatching(/^5 There is no meter point "nowhere"/),
      expect.stringMatching(/^7 Column "import_kWh" has "x"/),
    ]);
    expect(stored.at(-1)).toMatchObject({ meter: 'office', value: 5e9, quality: Quality.OUT_OF_RANGE });
    expect(groups[0]).toMatchObject({ source: 'import', device: null, tenant: 'default' });
  });

  it('changes nothing when the same file comes again, and does it again with another mapping', async () => {
    const file = csv('same.csv', 'at,meter,power_W', '2026-05-01T00:00Z,hall,100');
    const first = await loads.load(ANALYST, file);
    const again = await loads.load(ANALYST, { ...file, name: 'renamed.csv' });
    expect(again).toEqual({ ...first, unchanged: true });
    expect(stored).toHaveLength(1);
    const mapping = { at: 'at', meter: 'meter', columns: { power_W: 'power_l1_W' } };
    expect(await loads.load(ANALYST, file, mapping)).toMatchObject({ accepted: 1, unchanged: false });
    expect(await loads.recent('default')).toMatchObject([
      { file_name: 'same.csv' },
      { file_name: 'same.csv', id: first.id },
    ]);
  });

  it('loads a file again after readings were erased, or were lost with the store', async () => {
    const file = csv('again.csv', 'at,meter,power_W', '2026-05-01T00:00Z,hall,100');
    await loads.load(ANALYST, file);
    const audit = `insert into audit (tenant_id, actor, act, object, detail) values ('default', 'anna', 'remove device', 'hall', $1)`;
    await database.db.asTenant('default', (sql) => sql(audit, ['{"erase_readings": false}']));
    expect(await loads.load(ANALYST, file)).toMatchObject({ unchanged: true });
    await database.db.asTenant('default', (sql) => sql(audit, ['{"erase_readings": true}']));
    expect(await loads.load(ANALYST, file)).toMatchObject({ accepted: 1, unchanged: false });
    expect(await loads.load(ANALYST, file)).toMatchObject({ unchanged: true });
    await loads.forget('default');
    expect(await loads.load(ANALYST, file)).toMatchObject({ accepted: 1, unchanged: false });
    expect(await loads.recent('default')).toHaveLength(3);
  });

  it('tries a file again that had faults, or that was broken off', async () => {
    const file = csv('new.csv', 'at,meter,power_W', '2026-05-01T00:00Z,lab,100');
    expect(await loads.load(ANALYST, file)).toMatchObject({ accepted: 0, rejected: 1 });
    const working = intake;
    intake = () => Promise.reject(new UnavailableError('The disk is full.'));
    const other = csv('other.csv', 'at,meter,power_W', '2026-05-01T00:00Z,hall,100');
    await expect(loads.load(ANALYST, other)).rejects.toThrow('The disk is full.');
    intake = working;
    expect(await loads.load(ANALYST, other)).toMatchObject({ accepted: 1, unchanged: false });
    expect(await loads.load(ANALYST, file)).toMatchObject({ rejected: 1, unchanged: false });
  });

  it('makes missing meter points for an admin who asks, and for nobody else', async () => {
    const file = csv('lab.csv', 'at,meter,power_W', '2026-05-01T00:00Z,lab,1', '2026-05-01T00:00Z,LAB!,1');
    const mapping = { at: 'at', meter: 'meter', columns: { power_W: 'power_W' }, create_meters: true };
    await expect(loads.load(ANALYST, file, mapping)).rejects.toMatchObject({ name: 'NotAllowedError' });
    const report = await loads.load(ADMIN, file, mapping);
    expect(report).toMatchObject({ accepted: 1, rejected: 1, faults: [{ line: 3 }] });
    expect(created).toEqual([{ id: 'lab', connection: { kind: 'push' } }]);
  });

  it('takes JSON lines, whose times must be given', async () => {
    const file = csv(
      'lines.jsonl',
      '{"at":"2026-05-01T00:00Z","meter":"hall","power_W":1,"import_kWh":2}',
      '{"meter":"hall","power_W":1}',
      'oops',
    );
    const report = await loads.load(ANALYST, file);
    expect(report).toMatchObject({ lines: 3, accepted: 2, rejected: 2 });
    expect(report.faults.map(({ line }) => line).sort()).toEqual([2, 3]);
  });

  it('uses the zone of the site for wall clocks', async () => {
    const mapping = {
      at: 'Zeit',
      meter: null,
      meter_id: 'hall',
      columns: { 'Leistung [kW]': 'power_W' },
      decimal_comma: true,
    };
    await loads.load(ANALYST, csv('de.csv', 'Zeit;Leistung [kW]', '01.05.2026 02:00;1,5'), mapping);
    expect(stored).toEqual([
      { meter: 'hall', quantity: 'power_W', at_ms: Date.parse('2026-05-01T00:00Z'), value: 1500, quality: 0 },
    ]);
  });

  it('refuses a file whose columns say nothing, and names them', async () => {
    await expect(loads.load(ANALYST, csv('x.csv', 'a,b', '1,2'))).rejects.toThrow(/"a", "b".*column with the time/);
    expect(await loads.recent('default')).toEqual([]);
    expect(await loads.preview('default', { bytes: bytesOf('a,b\n1,2') }, 'x.csv')).toMatchObject({
      columns: ['a', 'b'],
      rows: [['1', '2']],
      problems: [expect.stringMatching(/time/), expect.anything(), expect.anything()],
    });
  });

  it('loads a large file from disk in batches with progress, without loss', async () => {
    const lines = Array.from({ length: 50_000 }, (_, i) => `${1_770_000_000_000 + i * 1000},hall,${i}`);
    const path = join(database.home, 'large.csv');
    await writeFile(path, `at,meter,power_W\n${lines.join('\n')}`);
    const report = await loads.load(ANALYST, { name: 'large.csv', path });
    expect(report).toMatchObject({ lines: 50_000, accepted: 50_000, rejected: 0 });
    expect(stored.map((one) => one.value)).toEqual(lines.map((_, i) => i));
    const progress = events.filter((event) => event.type === 'progress');
    expect(progress.at(-1)).toMatchObject({ task: `load:${report.id}`, tenant: 'default' });
    expect(progress.at(-1)).toHaveProperty('done', (progress.at(-1) as { total: number }).total);
  });
});
