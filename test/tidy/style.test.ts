import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../setup/environment.ts';
import { readSource } from './source.ts';
import { isSample, missingFromLock, STYLE_RULES, unpinned, unused } from './style.ts';

const source = readSource();
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

describe('house rules', () => {
  for (const [name, rule] of Object.entries(STYLE_RULES)) {
    it(name, () => {
      const files = source.filter(({ path }) => !isSample(path));
      expect(files.flatMap((file) => rule(file).map((fault) => `${file.path}: ${fault}`))).toEqual([]);
    });
  }
  it('dependencies are pinned exactly', () => expect(unpinned(manifest)).toEqual([]));
  it('the lock is complete and names no host', () => {
    const lock = readFileSync(join(ROOT, 'package-lock.json'), 'utf8');
    expect(missingFromLock(JSON.parse(lock))).toEqual([]);
    expect(lock).not.toContain('"resolved"');
  });
  it('every dependency is used', () => {
    expect(
      unused(
        manifest,
        source.filter(({ path }) => !isSample(path)),
      ),
    ).toEqual([]);
  });
});

describe('the house rules themselves', () => {
  const samples: Record<string, { path?: string; bad: string; good: string }[]> = {
    'no utils, helpers, index or manager files': [
      { path: 'engine/utils.ts', bad: '', good: '' },
      { path: 'web/index.ts', bad: '', good: '' },
      { path: 'gateway/job-manager.ts', bad: '', good: '' },
    ],
    'no I prefix and no manager': [
      { bad: 'interface IStore {}', good: 'interface IntervalReading {}' },
      { bad: 'class JobManager {}', good: "const text = 'facility manager';" },
    ],
    'at most 400 lines': [{ bad: 'a\n'.repeat(401), good: 'a\n'.repeat(400) }],
    'no escape from the type checker': [
      { bad: 'const a = b as any;', good: '// as any other' },
      { bad: '// @ts-ignore', good: '// ignored' },
    ],
    'no test left on .only': [{ bad: "it.only('x')", good: "it('x')" }],
    'nothing put off': [{ bad: '// TODO later', good: '// later' }],
    'relative imports name the file': [{ bad: "import { a } from './a';", good: "import { a } from './a.ts';" }],
  };
  it('all have samples', () => expect(Object.keys(samples)).toEqual(Object.keys(STYLE_RULES)));
  for (const [name, cases] of Object.entries(samples)) {
    it.each(cases)(`${name}, sample %$`, ({ path, bad, good }) => {
      expect(STYLE_RULES[name]?.({ path: path ?? 'engine/a.ts', text: bad })).toHaveLength(1);
      expect(STYLE_RULES[name]?.({ path: 'engine/a.ts', text: good })).toEqual([]);
    });
  }
  it('sees versions that are not exact', () => {
    const dependencies = { a: '1.2.3', b: '^1.2.3', c: '~1.2.3', d: 'latest', e: '1.2.3-beta.4' };
    expect(unpinned({ dependencies })).toEqual(['b: ^1.2.3', 'c: ~1.2.3', 'd: latest']);
  });
  it('sees what a lock leaves out', () => {
    const packages = {
      '': { dependencies: { a: '1.0.0' } },
      'node_modules/a': { optionalDependencies: { b: '1.0.0' } },
    };
    expect(missingFromLock({ packages })).toEqual(['node_modules/a needs b']);
  });
  it('sees dependencies that no file names', () => {
    const text = "import a from 'a';\nconst asset = 'node_modules/b.css/dist/b.css';\n// import c from 'c';";
    const dependencies = { a: '1.0.0', 'b.css': '1.0.0', c: '1.0.0', '@types/d': '1.0.0' };
    expect(unused({ dependencies }, [{ path: 'web/x.ts', text }])).toEqual(['c']);
  });
});
