/** A whole series store into the other kind and back: nothing changes on the way, and an interrupted move goes on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDuckDbSeries } from '../../../connectors/series/duckdb/duckdb.ts';
import { openDuckDbRows } from '../../../connectors/series/duckdb/rows.ts';
import { type MoveMemory, moveSeries, type RowStore } from '../../../connectors/series/move.ts';
import { openQuestDbSeries } from '../../../connectors/series/questdb/questdb.ts';
import { openQuestDbRows } from '../../../connectors/series/questdb/rows.ts';
import { InvalidDataError } from '../../../engine/errors.ts';
import type { SeriesStore } from '../../../engine/ports.ts';
import { hasQuestdb, type QuestdbServer, startQuestdb } from '../../setup/questdb.ts';

const T0 = Date.UTC(2026, 2, 29);
const memory = (): MoveMemory => ({ done: {}, save: async () => {} });
const quiet = () => {};

/** Readings (a replaced one among them), a repair, slots, a span, prices with a null, a forecast. */
async function fill(store: SeriesStore): Promise<void> {
  const readings = (values: readonly number[], seq: number) => ({
    ...{ seq, tenant: 'default', source: 'mqtt' as const, device: 'd', received_ms: T0 },
    readings: values.map((value, i) => ({
      meter: 'grid',
      quantity: 'import_kWh',
      at_ms: T0 + i * 60_000,
      value,
      quality: 0,
    })),
  });
  await store.readings.append([readings([1, 2, 3.25, 4], 1), readings([1, 2.5], 2)] as never);
  await store.readings.repair('default', [
    { meter: 'grid', quantity: 'import_kWh', at_ms: T0 + 120_000, value: null, by: 'jo' },
  ]);
  const range = { meter: 'grid', quantity: 'import_kWh', from_ms: T0, to_ms: T0 + 3_600_000 };
  const slots = {
    at_ms: Float64Array.of(T0, T0 + 900_000),
    values: Float64Array.of(0.1, Number.NaN),
    quality: Int32Array.of(0, 2),
  };
  await store.slots.replace('default', range, slots, [{ from_ms: T0, to_ms: T0 + 1_800_000, value: 7.5, quality: 1 }]);
  await store.prices.write(
    {
      area: 'DE-LU',
      market: 'day-ahead',
      currency: 'EUR',
      vat_included: false,
      source: 'smard',
      slots: [
        { at_ms: T0, value: -3.2 },
        { at_ms: T0 + 900_000, value: null },
      ],
    } as never,
    T0,
  );
  await store.forecasts.write('default', {
    ...{ series: 'load', unit: 'kWh', made_at_ms: T0, model: 'm/1', inputs_known_ms: T0 },
    points: [{ at_ms: T0 + 900_000, mean: 1.5, quantiles: { '0.1': 1, '0.9': 2 } }],
  });
}

/** What people would see. */
async function seen(store: SeriesStore) {
  const range = { meter: 'grid', quantity: 'import_kWh', from_ms: T0, to_ms: T0 + 3_600_000 };
  return JSON.stringify(
    {
      readings: await store.readings.read('default', range),
      changes: await store.readings.changes('default', range),
      slots: await store.slots.read('default', range),
      spans: await store.slots.spans('default', range),
      prices: await store.prices.read('DE-LU', 'day-ahead', T0, T0 + 3_600_000),
      forecast: await store.forecasts.latest('default', 'load', T0 + 1),
      cursor: await store.readings.cursor(),
    },
    (_, value: unknown) => (ArrayBuffer.isView(value) ? Array.from(value as Float64Array, String) : value),
  );
}

describe('a move between two files', () => {
  let home: string;
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'luna-move-'));
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));
  const file = (name: string) => join(home, `${name}.duckdb`);
  const moved = async (from: RowStore, to: RowStore, done = memory()) => {
    try {
      return await moveSeries(from, to, done, quiet);
    } finally {
      await from.close();
      await to.close();
    }
  };
  const filled = async (name: string): Promise<string> => {
    const store = await openDuckDbSeries({ file: file(name), memory: '128MB' });
    await fill(store);
    const text = await seen(store);
    await store.close();
    return text;
  };
  const opened = (name: string) => openDuckDbRows(file(name), '128MB');

  it('leaves nothing out, and goes on where it was interrupted', async () => {
    const before = await filled('from');
    const done = memory();
    const torn = await opened('to');
    const failing: RowStore = {
      ...torn,
      write: async (piece, rows) => {
        await torn.write(piece, rows);
        if (piece.table === 'slot') throw new Error('power cut');
      },
    };
    await expect(moved(await opened('from'), failing, done)).rejects.toThrow('power cut');
    expect(Object.keys(done.done)).toEqual(['reading 1']);
    const rows = await moved(await opened('from'), await opened('to'), done);
    expect(rows).toMatchObject({ reading: 4, slot: 2, reading_change: 1, repair: 1, span: 1, price: 2, forecast: 1 });
    const store = await openDuckDbSeries({ file: file('to'), memory: '128MB' });
    expect(await seen(store)).toBe(before);
    await store.close();
  });

  it('says so when the target reads back otherwise, and when it holds series of somebody else', async () => {
    await filled('wrong');
    const lying = await opened('elsewhere');
    const changed: RowStore = { ...lying, write: (piece, rows) => lying.write(piece, rows.slice(1)) };
    await expect(moved(await opened('wrong'), changed)).rejects.toThrow(/reads back otherwise/);
    const other = await opened('other');
    await other.writeSeries([{ id: 1, tenant: 'default', meter: 'theirs', quantity: 'power_W', readings: true }]);
    await expect(moved(await opened('wrong'), other)).rejects.toThrow(InvalidDataError);
  });

  describe.skipIf(!hasQuestdb)('and a real QuestDB', () => {
    let server: QuestdbServer;
    beforeAll(async () => {
      server = await startQuestdb();
    }, 180_000);
    afterAll(() => server.stop());

    it('shows the same there, and the same again in a file', async () => {
      const before = await filled('home');
      await moved(await opened('home'), await openQuestDbRows(server.url));
      const there = await openQuestDbSeries({ url: server.url });
      expect(await seen(there)).toBe(before);
      await there.close();
      await moved(await openQuestDbRows(server.url), await opened('back'));
      const back = await openDuckDbSeries({ file: file('back'), memory: '128MB' });
      expect(await seen(back)).toBe(before);
      await back.close();
    }, 60_000);
  });
});
