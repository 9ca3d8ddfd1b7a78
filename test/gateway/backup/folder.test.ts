/** Which backup of a folder is taken, whatever the clocks said that wrote them. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { believedTimes, findBackup, idOf, keptIds, listIds, nextNumber } from '../../../gateway/backup/folder.ts';

const DAY = 86_400_000;
const MONDAY = Date.parse('2026-03-02T02:30:00Z');
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'luna-folder-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
const write = async (...times: readonly number[]) => {
  for (const [n, at_ms] of times.entries()) await mkdir(join(folder, idOf(n + 1, at_ms)), { recursive: true });
};
const found = async (until_ms: number | null, now_ms = MONDAY + 10 * DAY) =>
  Number(basename(await findBackup(folder, { until_ms, now_ms })).slice(0, 6));

describe('the backup that is restored', () => {
  it('is the newest that is not later than what was asked for', async () => {
    await write(MONDAY, MONDAY + DAY, MONDAY + 2 * DAY);
    expect(await found(null)).toBe(3);
    expect(await found(MONDAY + DAY - 1)).toBe(1);
    expect(await found(MONDAY + DAY)).toBe(2);
  });

  it('is none where all are later, and the refusal says how far they reach back', async () => {
    await write(MONDAY, MONDAY + DAY);
    await expect(found(MONDAY - 1)).rejects.toThrow(/No backup in .* the oldest is of 2026-03-02T02:30/);
  });

  it('is not a later one, though it is named', async () => {
    await write(MONDAY, MONDAY + DAY);
    const tuesday = join(folder, idOf(2, MONDAY + DAY));
    await expect(findBackup(tuesday, { until_ms: MONDAY + 1 })).rejects.toThrow(
      /is of 2026-03-03.*later than 2026-03-02/,
    );
    expect(await findBackup(tuesday, { until_ms: MONDAY + DAY })).toBe(tuesday);
  });

  it('is the one made last, not the one whose clock was wrong', async () => {
    await write(MONDAY, Date.parse('2036-01-01T00:00:00Z'), MONDAY + DAY);
    expect(await found(null)).toBe(3);
    // The wrong one was made before the third.
    expect(await found(MONDAY + DAY)).toBe(3);
    expect(await found(MONDAY + DAY - 1)).toBe(1);
  });

  it('a number is never given twice', async () => {
    await write(Date.parse('2036-01-01T00:00:00Z'), MONDAY);
    expect(nextNumber(await listIds(folder))).toBe(3);
    expect(nextNumber([])).toBe(1);
  });
});

it('believes the later of two clocks, and none that is ahead', () => {
  expect(believedTimes([10, 900, 20, 30], 500)).toEqual([10, 20, 20, 30]);
  expect(believedTimes([10, 900], 500)).toEqual([10, 500]);
});

it('a backup of a wrong clock pushes no other out', () => {
  const wrong = Array.from({ length: 8 }, (_, n) => idOf(n + 4, Date.parse('2036-01-01T00:00:00Z') + n * DAY));
  const right = [1, 2, 3].map((n) => idOf(n, MONDAY + n * DAY));
  const kept = keptIds([...right, ...wrong], { daily: 4, weekly: 0 }, MONDAY + 4 * DAY);
  expect([...kept]).toEqual(expect.arrayContaining(right));
});
