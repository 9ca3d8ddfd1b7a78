import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { erasureOf } from '../../engine/model/erasure.ts';
import type { JournalledGroup, ReadingGroup } from '../../engine/model/reading.ts';
import { runCommand } from '../../gateway/commands.ts';
import {
  buryGroup,
  deadLetterFolder,
  eraseDeadLetters,
  NOT_JOURNALLED,
  readDeadLetters,
} from '../../gateway/dead-letters.ts';
import type { Services } from '../../gateway/services.ts';

const group = (seq: number, tenant = 'default', at_ms = 1000): JournalledGroup => ({
  ...{ seq, tenant, source: 'mqtt', device: 'd', received_ms: 5 },
  readings: [{ meter: 'hall', quantity: 'power_W', at_ms, value: Number.POSITIVE_INFINITY, quality: 0 }],
});

describe('readings that were put aside', () => {
  let home: string;
  let taken: ReadingGroup[];
  const run = (name: string, args: Record<string, unknown> = {}) =>
    runCommand(
      {
        config: { home },
        site: { tenants: () => ['default', 'other'] },
        intake: async (one: ReadingGroup) => {
          const bad = Number.isNaN(one.readings[0]!.at_ms);
          if (!bad) taken.push(one);
          return { accepted: bad ? 0 : 1, flagged: 0, rejected: bad ? [{ index: 0, problem: 'has no time' }] : [] };
        },
      } as unknown as Services,
      { name, args },
    );
  const bury = (one: JournalledGroup) =>
    buryGroup(deadLetterFolder(home), one, { reason: 'Conversion Error', refused_ms: 9 });
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'luna-dead-'));
    taken = [];
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  it('are kept exactly as they were, once however often they are refused', async () => {
    const first = group(7, 'default', Number.NaN);
    await bury(first);
    await bury(first);
    // A journal that begins anew gives the number to another group.
    await bury(group(7));
    const letters = await readDeadLetters(deadLetterFolder(home));
    expect(letters.map((one) => one.group)).toEqual(expect.arrayContaining([first, group(7)]));
    expect(letters).toHaveLength(2);
  });

  it('are erased with the rest of their meter point or organisation, and nothing that came later', async () => {
    const dir = deadLetterFolder(home);
    const of = (seq: number, meters: readonly string[], more: Partial<JournalledGroup> = {}): JournalledGroup => ({
      ...{ ...group(seq), ...more },
      readings: meters.map((meter) => ({ ...group(seq).readings[0]!, meter })),
    });
    const buried = [
      of(7, ['hall', 'roof', 'hall']),
      of(8, ['hall'], { received_ms: 900 }),
      of(9, ['hall'], { tenant: 'other' }),
      of(NOT_JOURNALLED, ['hall'], { received_ms: 100 }),
      of(NOT_JOURNALLED, ['hall'], { received_ms: 101, device: 'new' }),
      of(21, ['hall'], { received_ms: 101, device: 'new' }),
    ];
    for (const one of buried) await bury(one);
    writeFileSync(join(dir, 'half.json'), '{"refused_ms":');
    const erase = async (tenant: string, meters: readonly string[] | null) => {
      const erasure = { seq: 20, ...erasureOf(tenant, meters, 100) };
      await eraseDeadLetters(dir, erasure);
      await eraseDeadLetters(dir, erasure);
      rmSync(join(dir, 'half.json'), { force: true });
      const letters = await readDeadLetters(dir);
      return letters.map((one) => [
        one.group.tenant,
        one.group.device,
        one.group.readings.map(({ meter }) => meter).join(),
      ]);
    };
    const later = [
      ['default', 'new', 'hall'],
      ['default', 'new', 'hall'],
    ];
    expect(await erase('default', ['hall'])).toEqual(
      expect.arrayContaining([['default', 'd', 'roof'], ['other', 'd', 'hall'], ...later]),
    );
    expect(await readDeadLetters(dir)).toHaveLength(4);
    expect((await readDeadLetters(dir))[0]).toMatchObject({ reason: 'Conversion Error', refused_ms: 9 });
    expect(await erase('default', null)).toEqual(expect.arrayContaining([['other', 'd', 'hall'], ...later]));
    expect(await readDeadLetters(dir)).toHaveLength(3);
  });

  it('are listed with the reason', async () => {
    expect((await run('dead-letters list')).text).toBe('Nothing was put aside.');
    await bury(group(7));
    await bury(group(8, 'other'));
    const { text } = await run('dead-letters list');
    expect(text.split('\n')).toHaveLength(2);
    expect(text).toMatch(/1970-01-01T00:00:00.009Z {2}default {2}mqtt {2}1 readings of hall: Conversion Error/);
    expect((await run('dead-letters list', { tenant: 'other' })).text).not.toContain('default');
  });

  it('are taken in again, one or all, and stay where they are when they are refused again', async () => {
    await bury(group(7));
    await bury(group(8, 'other'));
    await bury(group(9, 'default', Number.NaN));
    const [first] = await readDeadLetters(deadLetterFolder(home));
    expect((await run('dead-letters retry', { id: first!.id })).json).toEqual({ taken: 1, kept: 0 });
    const { seq: _, ...sent } = group(7);
    expect(taken).toEqual([sent]);
    const second = await run('dead-letters retry');
    expect(second).toMatchObject({ json: { taken: 1, kept: 1 }, failed: true });
    expect(second.text).toContain('has no time');
    expect(readdirSync(deadLetterFolder(home))).toHaveLength(1);
  });
});
