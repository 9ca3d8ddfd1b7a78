import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { receiveForm } from '../../../gateway/http/api/uploads.ts';
import type { Env } from '../../../gateway/http/api.ts';

describe('a file that the disk does not take', () => {
  it('is answered at once, and not as a fault of the form', async () => {
    const home = mkdtempSync(join(tmpdir(), 'luna-full-'));
    writeFileSync(join(home, 'uploads'), 'no folder, so that nothing can be written into it');
    const app = new Hono<Env>();
    app.post('/', async (c) => {
      await receiveForm(c, home);
      return c.text('taken');
    });
    app.onError((error, c) => c.text(error.name, 500));
    const form = new FormData();
    form.set('file', new File(['x'.repeat(3_000_000)], 'rule.md'));
    const begun = performance.now();
    const answer = await app.request('/', { method: 'POST', body: form });
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(await answer.text()).toBe('UnavailableError');
    rmSync(home, { recursive: true, force: true });
  });
});
