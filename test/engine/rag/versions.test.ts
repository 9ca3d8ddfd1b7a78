import { describe, expect, it } from 'vitest';
import { inForce, isInForce, replacementOf, type VersionFacts } from '../../../engine/rag/versions.ts';

const at = (day: string) => Date.parse(`${day}T12:00:00Z`);
const version = (name: string, uploaded: string, more: Partial<VersionFacts> = {}): VersionFacts => ({
  ...{ version: name, valid_from: null, valid_to: null, replaced_by: null, uploaded_ms: at(uploaded) },
  ...more,
});
const nameAt = (versions: readonly VersionFacts[], day: string) => inForce(versions, day)?.version ?? null;

describe('the version in force', () => {
  it('is the one uploaded last where nobody gave days, and the one before it for a day before that upload', () => {
    const versions = [version('1', '2026-01-10'), version('2', '2026-03-01')];
    expect(nameAt(versions, '2026-05-01')).toBe('2');
    expect(nameAt(versions, '2026-03-01')).toBe('2');
    expect(nameAt(versions, '2026-02-28')).toBe('1');
    expect(nameAt(versions, '2020-01-01')).toBe('1');
    expect(nameAt([], '2026-01-01')).toBeNull();
  });

  it('changes on the first day of the next, whichever was uploaded first', () => {
    const old = version('old', '2026-03-01', { valid_from: '2022-01-01' });
    const now = version('new', '2026-02-01', { valid_from: '2025-07-01' });
    for (const versions of [
      [old, now],
      [now, old],
    ]) {
      expect(nameAt(versions, '2021-12-31')).toBeNull();
      expect(nameAt(versions, '2025-06-30')).toBe('old');
      expect(nameAt(versions, '2025-07-01')).toBe('new');
      expect(replacementOf(old, versions)?.version).toBe('new');
      expect(isInForce(old, versions, '2025-07-01')).toBe(false);
    }
  });

  it('is not one that begins later, and none after the last day of the last', () => {
    const versions = [
      version('1', '2026-01-01'),
      version('2', '2026-02-01', { valid_from: '2027-01-01', valid_to: '2028-12-31' }),
    ];
    expect(nameAt(versions, '2026-06-01')).toBe('1');
    expect(nameAt(versions, '2028-12-31')).toBe('2');
    expect(nameAt(versions, '2029-01-01')).toBeNull();
  });

  it('is none between the last day of one and the first day of the next', () => {
    const versions = [
      version('1', '2026-01-01', { valid_to: '2026-05-31' }),
      version('2', '2026-01-02', { valid_from: '2026-07-01' }),
    ];
    expect(['2026-05-31', '2026-06-15', '2026-07-01'].map((day) => nameAt(versions, day))).toEqual(['1', null, '2']);
  });

  it('is the one that somebody said replaces another, and a correction of the same day counts as uploaded last', () => {
    const versions = [
      version('a', '2026-01-01', { valid_from: '2026-01-01', replaced_by: 'c' }),
      version('b', '2026-01-02', { valid_from: '2026-01-01' }),
      version('c', '2026-01-03', { valid_from: '2026-06-01' }),
    ];
    expect(nameAt(versions, '2026-03-01')).toBe('b');
    expect(replacementOf(versions[0]!, versions)?.version).toBe('c');
    expect(nameAt(versions, '2026-06-01')).toBe('c');
  });

  it('is not an older one that was put in later with its last day', () => {
    const versions = [
      version('2026', '2026-01-01'),
      version('2022', '2026-02-01', { valid_to: '2025-12-31', replaced_by: '2026' }),
    ];
    expect(nameAt(versions, '2026-03-01')).toBe('2026');
    expect(nameAt(versions, '2026-01-15')).toBe('2026');
  });

  it('stands a version that names itself or none that exists as its replacement', () => {
    const versions = [
      version('1', '2026-01-01', { replaced_by: '1' }),
      version('2', '2026-02-01', { replaced_by: 'x' }),
    ];
    expect(nameAt(versions, '2026-03-01')).toBe('2');
  });
});
