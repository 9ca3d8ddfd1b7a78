import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { licencesOf, notesOf, unaccepted } from '../../scripts/release.ts';
import { ROOT } from '../setup/environment.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

describe('a release', () => {
  it('names the licence of every package in the image, none of which forbids its use in a product', () => {
    const licences = licencesOf(JSON.parse(read('package-lock.json')));
    expect(licences.length).toBeGreaterThan(50);
    for (const line of licences) expect(line, line).not.toMatch(/: (unknown|.*(AGPL|SSPL|BUSL)|GPL)/);
  });
  it('takes its notes from the changelog', () => {
    const changelog = '# Changelog\n\n## 1.2.0\n- new\n\n## 1.1.0\n- old\n';
    expect(notesOf(changelog, '1.1.0')).toBe('## 1.1.0\n- old\n');
    expect(notesOf(changelog, '9.9.9')).toContain('- new');
    expect(notesOf(read('CHANGELOG.md'), '0.1.0')).toMatch(/^## /);
  });
  it('stops at findings that nobody accepted, or no longer', () => {
    const audit = {
      vulnerabilities: {
        a: { via: [{ url: 'https://github.com/advisories/GHSA-1', title: 'bad' }] },
        b: { via: ['a'] },
      },
    };
    const accepted = [{ advisory: 'GHSA-1', reason: 'not reachable', until: '2026-12-31' }];
    expect(unaccepted(audit, [], '2026-01-01')).toEqual(['a: https://github.com/advisories/GHSA-1 bad']);
    expect(unaccepted(audit, accepted, '2026-12-31')).toEqual([]);
    expect(unaccepted(audit, accepted, '2027-01-01')).toHaveLength(1);
  });
});

describe('workflows', () => {
  type Step = { run?: string; uses?: string };
  type Workflow = { permissions?: object; jobs: Record<string, { 'timeout-minutes'?: number; steps: Step[] }> };
  const files = readdirSync(join(ROOT, '.github/workflows'));
  it.each(files)('%s bounds its jobs and rights, pins its actions, and calls targets of the makefile', (name) => {
    const { permissions, jobs } = parse(read(`.github/workflows/${name}`)) as Workflow;
    expect(permissions).toBeDefined();
    for (const job of Object.values(jobs)) {
      expect(job['timeout-minutes']).toBeGreaterThan(0);
      for (const { run = '', uses } of job.steps) {
        if (uses) expect(uses).toMatch(/@v\d+/);
        for (const [, target = ''] of run.matchAll(/^make (\S+)/gm))
          expect(read('Makefile')).toMatch(new RegExp(`^${target}: ## `, 'm'));
      }
    }
  });
});
