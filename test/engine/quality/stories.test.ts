import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDuckDbSeries } from '../../../connectors/series/duckdb/duckdb.ts';
import type { DrainedSeries } from '../../../connectors/series/store.ts';
import { qualityText } from '../../../engine/model/quality.ts';
import { quantityInfo, slotQuantity } from '../../../engine/model/quantity.ts';
import type { Reading } from '../../../engine/model/reading.ts';
import type { MeterPoint } from '../../../engine/model/site.ts';
import { SLOT_MS, slotStart } from '../../../engine/model/time.ts';
import { OLDEST_MS, validateReadings } from '../../../engine/quality/validate.ts';
import { makeReport } from '../../../gateway/services/quality-day.ts';
import { createSlotKeeper, type SlotKeeper } from '../../../gateway/workers/series-slots.ts';
import { de } from '../../../web/i18n/de.ts';
import { en } from '../../../web/i18n/en.ts';
import { readStory, type Story } from './story.ts';

const FOLDER = join(import.meta.dirname, 'stories');
const DAY_MS = 86_400_000;
const TENANT = 'stories';
/** Marks that say how a value was made, not that something was wrong. */
const HARMLESS = new Set(['ok', 'estimated', 'partial']);
const words: Record<string, Record<string, string>> = { en, de };

let dir: string;
let store: DrainedSeries;
let keeper: SlotKeeper;
let seq = 0;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'luna-stories-'));
  store = await openDuckDbSeries({ file: join(dir, 'series.duckdb'), memory: '256MB' });
  keeper = createSlotKeeper(store, 10);
});
afterAll(async () => {
  await store.close();
  rmSync(dir, { recursive: true, force: true });
});

/** The way of a reading: the boundary, the store, the slots. @returns how many were refused */
async function deliver(readings: Reading[], arrives_ms: number): Promise<number> {
  let rejected = 0;
  const groups = [];
  // One message a reading, as most meters send.
  for (const reading of readings) {
    const checked = validateReadings([reading], arrives_ms, () => null, { live: true });
    rejected += checked.rejected.length;
    const group = { tenant: TENANT, source: 'test', device: null, received_ms: arrives_ms, readings: checked.kept };
    if (checked.kept.length > 0) groups.push({ ...group, seq: ++seq });
  }
  const { touched } = await store.readings.append(groups);
  await keeper.now(touched, arrives_ms);
  return rejected;
}

/** Two weeks of quarter hours before the story, with the story's first value at its end. */
function usualReadings(meter: string, story: Story): Reading[] {
  const { at_ms: end_ms, value } = story.deliveries[0]!.readings[0]!;
  const steps = Array.from({ length: 14 * 96 }, (_, k) => {
    const hour = ((k + 1) / 4) % 24;
    return (story.usual_kW! / 4) * (hour > 17 && hour < 20 ? 1 : 0.05);
  });
  let register = value;
  const isInterval = quantityInfo(story.quantity)?.kind === 'interval';
  return steps
    .map((kWh, k) => {
      const at_ms = end_ms - (k + 1) * SLOT_MS;
      const reading = { meter, quantity: story.quantity, at_ms, value: kWh, quality: 0 };
      register -= kWh;
      return isInterval ? { ...reading, from_ms: at_ms - SLOT_MS } : { ...reading, value: register };
    })
    .reverse();
}

async function tell(meter: string, story: Story) {
  if (story.rated_power_W !== null)
    await keeper.setRoles([{ tenant: TENANT, meter, role: 'load', rated_power_W: story.rated_power_W }]);
  if (story.usual_kW !== null) await deliver(usualReadings(meter, story), story.day_ms);
  let rejected = 0;
  for (const { arrives_ms, readings } of story.deliveries)
    rejected += await deliver(
      readings.map((reading) => ({ ...reading, meter })),
      arrives_ms,
    );
  const kept = story.deliveries.flatMap(({ readings }) => readings).filter(({ at_ms }) => at_ms >= OLDEST_MS);
  const [earliest, latest] = [Math.min(...kept.map(({ at_ms }) => at_ms)), Math.max(...kept.map(({ at_ms }) => at_ms))];
  const range = {
    meter,
    quantity: slotQuantity(story.quantity),
    from_ms: Math.min(story.day_ms, slotStart(earliest)),
    to_ms: Math.max(story.day_ms + 3 * DAY_MS, slotStart(latest) + SLOT_MS),
  };
  return { rejected, slots: await store.slots.read(TENANT, range), spans: await store.slots.spans(TENANT, range) };
}

async function report(meter: string, story: Story): Promise<string> {
  const point = { id: meter, role: 'load' } as MeterPoint;
  const deps = {
    series: { ...store, drain: { onSlots: () => () => {} } },
    clock: { now: () => story.day_ms + 2 * DAY_MS },
    meters: { list: () => [point], get: () => point },
  };
  const day = new Date(story.day_ms).toISOString().slice(0, 10);
  const made = await makeReport(deps, TENANT, meter, day, story.day_ms, story.day_ms + DAY_MS, 'UTC');
  return made!.checks.map(({ text }) => text).join('\n');
}

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

describe('counter stories', () => {
  it('are at least sixty', () => expect(files.length).toBeGreaterThanOrEqual(60));

  for (const file of files) {
    const name = file.slice(0, -4);
    const story = readStory(join(FOLDER, file));
    it(`${name}: ${story.title}`, async () => {
      const { rejected, slots, spans } = await tell(name, story);
      expect(rejected).toBe(story.rejected);
      const marks = [...slots.quality, ...spans.map((span) => span.quality)].flatMap((bits) =>
        qualityText(bits).split('+'),
      );
      const told = [...new Set(marks)].filter((mark) => !HARMLESS.has(mark)).sort();
      expect(told).toEqual(story.marks);
      for (const mark of told)
        for (const language of ['en', 'de']) expect(words[language]![`quality.${mark}`]).toMatch(/\w{4}/);
      if (story.billed_kWh !== null) {
        const values = [...slots.values, ...spans.map(({ value }) => value)].filter((value) => !Number.isNaN(value));
        const billed = values.reduce((sum, value) => sum + value, 0);
        for (const value of values) expect(value).toBeGreaterThanOrEqual(0);
        expect(billed).toBeCloseTo(story.billed_kWh, 6);
        expect(billed).toBeLessThanOrEqual(story.true_kWh! + 1e-6);
      }
      if (story.mean !== null) for (const value of slots.values) expect(value).toBeCloseTo(story.mean, 6);
      if (story.says.length === 0) return;
      const text = await report(name, story);
      for (const part of story.says)
        if (part.startsWith('not ')) expect(text).not.toContain(part.slice(4));
        else expect(text).toContain(part);
    });
  }

  it('belong to quantities that the box knows', () => {
    for (const file of files) expect(quantityInfo(readStory(join(FOLDER, file)).quantity)).toBeDefined();
  });
});
