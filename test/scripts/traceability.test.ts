import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FILE, traceabilityPage } from '../../scripts/traceability.ts';
import { ROOT } from '../setup/environment.ts';

it('leads from every requirement to a test that is there', () => {
  const page = traceabilityPage();
  const tests = [...page.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, path = '']) => path);
  expect(tests.length).toBeGreaterThan(50);
  for (const path of new Set(tests)) expect(existsSync(join(ROOT, path)), path).toBe(true);
});

it('is written down, with every section', () => {
  const written = readFileSync(FILE, 'utf8');
  for (const [, section] of traceabilityPage().matchAll(/^## (.+)$/gm)) expect(written).toContain(`## ${section}`);
});
