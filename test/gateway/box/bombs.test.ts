/** A sample of what `npm run bench -- bombs` sends; limits are wide here, because other tests run beside. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Box, startBox } from '../../setup/box.ts';
import { bodyBombs } from './bombs/body.ts';
import type { Bomb } from './bombs/bomb.ts';
import { defuse } from './bombs/defuse.ts';
import { pdfBombs } from './bombs/pdf.ts';
import { textBombs } from './bombs/text.ts';

/** Each with what ends it. */
const SAMPLE: readonly (readonly [string, RegExp])[] = [
  ['a page that unpacks to 4 GB of spaces', /needed more than \d+ MB and was stopped/],
  ['a page of 500 MB of opened parentheses', /needed more than \d+ MB and was stopped/],
  ['forms that draw each other a thousand million times', /was stopped/],
  ['a zip of 2 GB as Markdown', /zero bytes/],
  ['a JSON array of 50 MB of brackets', /needed more than \d+ MB and was stopped/],
  ['YAML of a million keys', /needed more than \d+ MB and was stopped/],
];
const LIMIT = { MB: 256, seconds: 10, wait_ms: 2000 };

describe('uploads that would exhaust the box', () => {
  let box: Box;
  let key = '';
  let bombs: Bomb[] = [];
  beforeAll(async () => {
    box = await startBox({ LUNA_PRICE_SOURCES: '' });
    key = (await box.lunaJson<{ key: string }>('key', 'create', '--name', 'bombs', '--role', 'admin')).key;
    bombs = [...pdfBombs(), ...textBombs(), ...bodyBombs()];
  });
  afterAll(() => box?.remove());

  it('are at least sixty kinds, each with a name of its own', () => {
    expect(bombs.length).toBeGreaterThanOrEqual(60);
    expect(new Set(bombs.map(({ name }) => name)).size).toBe(bombs.length);
  });

  it.each(SAMPLE)('%s ends in time and in bounds, and the box goes on', async (name, ended) => {
    const bomb = bombs.find((one) => one.name === name)!;
    const { outcome, peak_MB, seconds, longest_wait_ms, helpers_left } = await defuse(
      { url: box.url, key, pid: box.pid },
      bomb,
    );
    expect(outcome).toMatch(ended);
    if (/was stopped/.test(outcome)) expect(helpers_left).toBe(0);
    expect(peak_MB).toBeLessThan(LIMIT.MB);
    expect(longest_wait_ms).toBeLessThan(LIMIT.wait_ms);
    // Twice the bench's bound: this machine does other things meanwhile.
    expect(seconds).toBeLessThan(2 * LIMIT.seconds);
  });
});
