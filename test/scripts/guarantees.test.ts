import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Guarantee, guaranteesPage, readFigures, readGuarantees, unproven } from '../../scripts/guarantees.ts';
import { ROOT } from '../setup/environment.ts';

const guarantees = readGuarantees();
const benches = readdirSync(join(ROOT, 'test/bench')).filter((file) => file.endsWith('.bench.ts'));

describe('the registry of guarantees', () => {
  it('names files that are there, and each test once per promise', () => {
    expect(guarantees.length).toBeGreaterThan(0);
    const missing = guarantees.filter(({ test }) => !existsSync(join(ROOT, test))).map(({ test }) => test);
    expect(missing).toEqual([]);
    const keys = guarantees.map(({ promise, test, case: name }) => `${promise} ${test} ${name}`);
    expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([]);
  });

  it('names benches that are there', () => {
    const unknown = guarantees
      .flatMap(({ figure }) => figure ?? [])
      .filter((name) => !benches.includes(`${name}.bench.ts`));
    expect(unknown).toEqual([]);
  });

  it('gives docs/guarantees.md as it stands: otherwise run `make test` and `make guarantees`', () => {
    expect(readFileSync(join(ROOT, 'docs/guarantees.md'), 'utf8')).toBe(guaranteesPage(guarantees, readFigures()));
  });
});

describe('a guarantee', () => {
  const guarantee: Guarantee = {
    section: '1 Durability',
    promise: 'Nothing that was acknowledged is lost.',
    test: 'test/a.test.ts',
    case: 'suite > keeps it',
    figure: 'crash',
    seen_failing: 'Without the fsync it said: 3 lost.',
  };
  const ran = (status: string, title = 'keeps it') => [
    {
      success: true,
      testResults: [
        {
          name: join(ROOT, 'test/a.test.ts'),
          status: 'passed',
          assertionResults: [{ ancestorTitles: ['suite'], title, status }],
        },
      ],
    },
  ];

  it('is proven by a test that ran and passed, by nothing else', () => {
    expect(unproven([guarantee], ran('passed'))).toEqual([]);
    for (const results of [ran('failed'), ran('skipped'), ran('passed', 'other'), []])
      expect(unproven([guarantee], results)).toEqual([
        'guarantee without a passed test: test/a.test.ts > suite > keeps it',
      ]);
  });

  it('may be skipped where that was declared, and only then', () => {
    const id = 'test/a.test.ts > suite > keeps it';
    expect(unproven([guarantee], ran('skipped'), (one) => one === id)).toEqual([]);
    expect(unproven([guarantee], ran('failed'), () => true)).toHaveLength(1);
    expect(unproven([guarantee], [], () => true)).toHaveLength(1);
  });

  it('shows its figures, or that there are none yet', () => {
    expect(guaranteesPage([guarantee], new Map())).toContain('Not recorded yet');
    const figure = { bench: 'crash', recorded: '2026-01-02', lost: 0 };
    expect(guaranteesPage([guarantee], new Map([['crash', figure]]))).toContain('| `lost` | 0 |');
  });
});
