import { expect, it } from 'vitest';
import { accuracyTable, withTable } from '../../scripts/accuracy.ts';
import type { Figure } from '../../scripts/guarantees.ts';

const nab = (score: number): Figure => ({
  bench: 'anomaly-nab',
  recorded: '2026-11-22',
  score,
  found: 10,
  windows: 11,
});

it('writes what was measured, whether the first aim is reached, and what was not recorded', () => {
  const rows = accuracyTable(new Map([['anomaly-nab', nab(60)]])).split('\n');
  expect(rows.find((row) => row.includes('`anomaly-nab`'))).toMatch(/score 60 .*\| yes \| 2026-11-22 \|$/);
  expect(rows.find((row) => row.includes('`lstm`'))).toContain('| not recorded yet |');
  expect(accuracyTable(new Map([['anomaly-nab', nab(50)]]))).toContain('**no**');
});

it('changes nothing outside of the marks, and refuses a page without them', () => {
  const page = 'a\n<!-- accuracy: begin -->\nold\n<!-- accuracy: end -->\nb\n';
  expect(withTable(page, 'new')).toBe('a\n<!-- accuracy: begin -->\nnew\n<!-- accuracy: end -->\nb\n');
  expect(() => withTable('a', 'new')).toThrow('lacks');
});
