import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { withPassword } from '../../gateway/password-input.ts';

describe('withPassword', () => {
  const from = (...chunks: string[]) => Readable.from(chunks.map((chunk) => Buffer.from(chunk)));

  it.each([
    [['correct horse\n'], 'correct horse'],
    [[' spa', 'ces ö \r\nsecond line'], ' spaces ö '],
    [['without end'], 'without end'],
  ])('takes the first line of standard input %j', async (chunks, password) => {
    const args = { login: 'anna', passwordStdin: true };
    expect(await withPassword(args, from(...chunks))).toEqual({ login: 'anna', password });
  });

  it('reads nothing where it was not asked', async () => {
    const input = from('secret\n');
    expect(await withPassword({ login: 'anna', password: 'x' }, input)).toEqual({ login: 'anna', password: 'x' });
    expect(input.readableDidRead).toBe(false);
  });

  it('refuses none, two and one without end', async () => {
    await expect(withPassword({ passwordStdin: true }, from(''))).rejects.toThrow(/no password/);
    await expect(withPassword({ passwordStdin: true }, from('\nlater'))).rejects.toThrow(/no password/);
    await expect(withPassword({ passwordStdin: true, password: 'x' }, from('y'))).rejects.toThrow(/twice/);
    await expect(withPassword({ passwordStdin: true }, from('x'.repeat(5000)))).rejects.toThrow(/too long/);
  });
});
