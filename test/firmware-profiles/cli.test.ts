import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** The program itself, as an author runs it: no box, no configuration. */
function luna(...args: string[]): Promise<{ code: number; out: string }> {
  return new Promise((resolve) => {
    const program = join(ROOT, 'gateway/main.ts');
    execFile(process.execPath, [program, 'profile', 'test', ...args], { timeout: 60_000 }, (error, stdout) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out: stdout }),
    );
  });
}

describe('luna profile test DIR', () => {
  it('ends with 0, and with 2 where there is no profile', async () => {
    const [good, none] = await Promise.all([luna(join(ROOT, 'firmware-profiles/sml-meter')), luna(tmpdir())]);
    expect(good).toMatchObject({ code: 0, out: expect.stringContaining('sml-meter: nothing to mend') });
    expect(none).toMatchObject({ code: 2, out: expect.stringContaining('has no profile.yaml') });
  });
  it('prints one JSON object', async () => {
    const { out } = await luna('--json', join(ROOT, 'firmware-profiles/goodwe-et'));
    expect(JSON.parse(out)).toMatchObject({ name: 'goodwe-et', faults: [], verified: true });
  });
});
