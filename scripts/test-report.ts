/** What a test run amounts to: counts, failures by name, and skips that nobody declared. Pure. */
import { z } from 'zod';

export const ExpectedSkips = z.array(
  z.strictObject({
    /** Full name as printed, `file > suite > test`; `*` stands for any text. */
    test: z.string().min(1),
    reason: z.string().min(10),
    in_ci: z.boolean(),
  }),
);
export type ExpectedSkip = z.infer<typeof ExpectedSkips>[number];

const Assertion = z.object({
  ancestorTitles: z.array(z.string()),
  title: z.string(),
  status: z.string(),
  /** Of every try: a test that passed at the second keeps what the first said. */
  failureMessages: z.array(z.string()).optional(),
});
export const VitestJson = z.object({
  success: z.boolean(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(Assertion),
    }),
  ),
});
export type VitestResult = z.infer<typeof VitestJson>;

export type Tally = {
  passed: number;
  failed: string[];
  skipped: string[];
  /** Among the passed: those that failed at the first try. */
  flaky: string[];
};

export function tallyVitest(result: VitestResult, root: string): Tally {
  const tally: Tally = { passed: 0, failed: [], skipped: [], flaky: [] };
  for (const file of result.testResults) {
    const path = file.name.startsWith(`${root}/`) ? file.name.slice(root.length + 1) : file.name;
    for (const { ancestorTitles, title, status, failureMessages = [] } of file.assertionResults) {
      const name = [path, ...ancestorTitles, title].filter(Boolean).join(' > ');
      if (status === 'passed') tally.passed += 1;
      else if (status === 'failed') tally.failed.push(name);
      else tally.skipped.push(name);
      if (status === 'passed' && failureMessages.length > 0)
        tally.flaky.push(`${name} (first try: ${firstLine(failureMessages[0])})`);
    }
    // A file that could not be loaded has no tests to count.
    const blamed = file.assertionResults.some(({ status }) => status === 'failed');
    if (file.status === 'failed' && !blamed) tally.failed.push(`${path} (${firstLine(file.message)})`);
  }
  return tally;
}

export function failedFiles({ testResults }: VitestResult): string[] {
  return testResults.filter(({ status }) => status === 'failed').map(({ name }) => name);
}

/**
 * The result in which the files of `second` stand for themselves; a test that had failed before keeps what it said,
 * by which `tallyVitest` knows it as flaky.
 */
export function withSecondTry(first: VitestResult, second: VitestResult): VitestResult {
  const again = new Map(second.testResults.map((file) => [file.name, file]));
  const testResults = first.testResults.map((file) => {
    const now = again.get(file.name);
    return now ? { ...now, assertionResults: now.assertionResults.map(keepFailure(file)) } : file;
  });
  return { success: testResults.every(({ status }) => status !== 'failed'), testResults };
}

function keepFailure(before: VitestResult['testResults'][number]) {
  type Case = (typeof before)['assertionResults'][number];
  const nameOf = ({ ancestorTitles, title }: Case) => JSON.stringify([...ancestorTitles, title]);
  const failures = new Map(
    before.assertionResults
      .filter(({ status }) => status === 'failed')
      .map((failed) => [nameOf(failed), failed.failureMessages ?? []]),
  );
  // A file whose set-up failed has no tests to name: the first of its tests stands for it.
  const [first] = failures.size === 0 && before.status === 'failed' ? [before.message ?? 'could not be loaded'] : [];
  return (now: Case, index: number): Case => {
    const said = failures.get(nameOf(now)) ?? (first !== undefined && index === 0 ? [first] : undefined);
    return said ? { ...now, failureMessages: [...said, ...(now.failureMessages ?? [])] } : now;
  };
}

export function unexpectedSkips(
  skipped: readonly string[],
  expected: readonly ExpectedSkip[],
  in_ci: boolean,
): string[] {
  const declared = expected.filter((skip) => skip.in_ci || !in_ci).map(({ test }) => toPattern(test));
  return skipped.filter((name) => !declared.some((pattern) => pattern.test(name)));
}

export function addTallies(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((sum, { passed }) => sum + passed, 0),
    failed: tallies.flatMap(({ failed }) => failed),
    skipped: tallies.flatMap(({ skipped }) => skipped),
    flaky: tallies.flatMap(({ flaky }) => flaky),
  };
}

export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed.length} failed, ${skipped.length} skipped`;
}

/** A declared name stands for itself and for everything inside it. */
function toPattern(glob: string): RegExp {
  const literal = glob.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literal.join('.*')}($| > )`);
}

function firstLine(text = ''): string {
  return text.trim().split('\n')[0] || 'could not be loaded';
}
