import { describe, expect, it } from 'vitest';
import {
  addTallies,
  closingLine,
  failedFiles,
  tallyVitest,
  unexpectedSkips,
  withSecondTry,
} from '../../scripts/test-report.ts';

const ran = (title: string, status: string) => ({ ancestorTitles: ['store'], title, status });

describe('tallyVitest', () => {
  it('names failures and skips by file, suite and test', () => {
    const file = { name: '/p/test/a.test.ts', status: 'failed', message: '' };
    const assertionResults = [
      ran('keeps', 'passed'),
      ran('loses', 'failed'),
      ran('waits', 'skipped'),
      ran('later', 'todo'),
    ];
    expect(tallyVitest({ success: false, testResults: [{ ...file, assertionResults }] }, '/p')).toEqual({
      passed: 1,
      failed: ['test/a.test.ts > store > loses'],
      skipped: ['test/a.test.ts > store > waits', 'test/a.test.ts > store > later'],
      flaky: [],
    });
  });
  it('names what passed only at the second try, with what the first said', () => {
    const assertionResults = [
      { ...ran('keeps', 'passed'), failureMessages: ['AssertionError: expected 1 to be 2\n at x'] },
      { ...ran('stays', 'passed'), failureMessages: [] },
      { ...ran('loses', 'failed'), failureMessages: ['AssertionError: a', 'AssertionError: b'] },
    ];
    const file = { name: '/p/test/a.test.ts', status: 'failed', assertionResults };
    expect(tallyVitest({ success: false, testResults: [file] }, '/p')).toMatchObject({
      passed: 2,
      failed: ['test/a.test.ts > store > loses'],
      flaky: ['test/a.test.ts > store > keeps (first try: AssertionError: expected 1 to be 2)'],
    });
  });
  it('counts a file that could not be loaded as a failure', () => {
    const file = { name: '/p/test/a.test.ts', status: 'failed', message: 'Cannot find x\n at y', assertionResults: [] };
    expect(tallyVitest({ success: false, testResults: [file] }, '/p').failed).toEqual([
      'test/a.test.ts (Cannot find x)',
    ]);
  });
});

describe('withSecondTry', () => {
  const failure = { ...ran('keeps', 'failed'), failureMessages: ['AssertionError: too late'] };
  const slow = { name: '/p/test/slow.test.ts', status: 'failed', assertionResults: [failure] };
  const good = { name: '/p/test/good.test.ts', status: 'passed', assertionResults: [ran('stays', 'passed')] };
  const first = { success: false, testResults: [slow, good] };
  const again = (status: string, failureMessages: string[] = []) => {
    const testResults = [{ ...slow, status, assertionResults: [{ ...ran('keeps', status), failureMessages }] }];
    return withSecondTry(first, { success: status === 'passed', testResults });
  };

  it('runs only the files again that failed', () => {
    expect(failedFiles(first)).toEqual(['/p/test/slow.test.ts']);
    expect(failedFiles(again('passed'))).toEqual([]);
  });
  it('counts a test that passed then, and names it', () => {
    const tally = tallyVitest(again('passed'), '/p');
    expect(tally).toMatchObject({ passed: 2, failed: [] });
    expect(tally.flaky).toEqual(['test/slow.test.ts > store > keeps (first try: AssertionError: too late)']);
  });
  it('leaves failed what failed twice', () => {
    const result = again('failed', ['AssertionError: wrong']);
    expect(result.success).toBe(false);
    expect(tallyVitest(result, '/p')).toMatchObject({
      passed: 1,
      failed: ['test/slow.test.ts > store > keeps'],
      flaky: [],
    });
  });
  it('names a file whose set-up failed at first', () => {
    const broken = { ...slow, message: 'no port', assertionResults: [ran('keeps', 'skipped')] };
    const passed = { ...slow, status: 'passed', assertionResults: [ran('keeps', 'passed')] };
    const result = withSecondTry({ success: false, testResults: [broken] }, { success: true, testResults: [passed] });
    expect(tallyVitest(result, '/p').flaky).toEqual(['test/slow.test.ts > store > keeps (first try: no port)']);
  });
});

describe('unexpectedSkips', () => {
  const expected = [
    { test: 'test/q.test.ts > questdb', reason: 'needs Java 17', in_ci: false },
    { test: 'test/*/gpu.test.ts > * > fast', reason: 'needs a GPU', in_ci: true },
  ];
  it('takes a declared name for itself and all inside it', () => {
    const skipped = ['test/q.test.ts > questdb > drains', 'test/q.test.ts > questdb 2 > drains'];
    expect(unexpectedSkips(skipped, expected, false)).toEqual(['test/q.test.ts > questdb 2 > drains']);
  });
  it('holds CI to what may be missing there', () => {
    const skipped = ['test/q.test.ts > questdb > drains', 'test/x/gpu.test.ts > cuda > fast'];
    expect(unexpectedSkips(skipped, expected, true)).toEqual(['test/q.test.ts > questdb > drains']);
  });
});

it('ends with one line that a program can read', () => {
  const total = addTallies([
    { passed: 2, failed: ['a'], skipped: [], flaky: [] },
    { passed: 3, failed: [], skipped: ['b', 'c'], flaky: ['d'] },
  ]);
  expect(closingLine(total)).toBe('5 passed, 1 failed, 2 skipped');
});
