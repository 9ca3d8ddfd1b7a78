/**
 * `make test`: types, style, unit and contract tests (the tidy rules among them), then the browser tests.
 * `--only types,style,tidy,unit,e2e` chooses; other arguments go to vitest (a path or `-t NAME`).
 * In CI, files with failed tests run a second time, alone and from their beginning: one slow moment of a shared machine
 * stops no release. A test that passed only then is named on a line `flaky: …`.
 * The last line is `N passed, N failed, N skipped`.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CACHE, ROOT, setTestEnvironment } from '../test/setup/environment.ts';
import { expectedSkips, isExcused, lastReports, readGuarantees, unproven } from './guarantees.ts';
import {
  addTallies,
  closingLine,
  failedFiles,
  type Tally,
  tallyVitest,
  unexpectedSkips,
  VitestJson,
  withSecondTry,
} from './test-report.ts';
import { installTestTools } from './test-tools.ts';

type Step = 'types' | 'style' | 'tidy' | 'unit' | 'e2e';
const STEP_LIMIT_MS = 40 * 60_000;
/** More failed files than this are no slow moment. */
const SECOND_TRIES = 8;
const inCi = Boolean(process.env.CI);

if (!process.stdout.isTTY) process.env.NO_COLOR = '1';
process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const { steps, rest } = chooseSteps(args);
  if (steps.includes('unit') || steps.includes('e2e')) await installTestTools(say);
  setTestEnvironment();

  const tallies: Tally[] = [];
  for (const step of steps) tallies.push(await timed(step, () => runStep(step, rest)));
  const total = addTallies(tallies);
  const unexpected = unexpectedSkips(total.skipped, expectedSkips(), inCi);
  if (inCi) total.failed.push(...unexpected.map((name) => `${name} (skipped, and not in test/expected-skips.json)`));
  else for (const name of unexpected) say(`skipped: ${name}`);
  const whole = rest.length === 0 && steps.includes('unit') && steps.includes('e2e');
  if (whole) total.failed.push(...unproven(readGuarantees(), lastReports(), isExcused));
  for (const name of total.flaky) say(`flaky: ${name}`);
  for (const name of total.failed) say(`FAILED: ${name}`);
  console.log(closingLine(total));
  return total.failed.length > 0 || total.passed === 0 ? 1 : 0;
}

function chooseSteps(args: string[]): { steps: Step[]; rest: string[] } {
  const { values, tokens } = parseArgs({ args, options: { only: { type: 'string' } }, strict: false, tokens: true });
  const all: Step[] = ['types', 'style', 'unit', 'e2e'];
  const steps = typeof values.only === 'string' ? (values.only.split(',') as Step[]) : all;
  const only = tokens.find((token) => token.kind === 'option' && token.name === 'only');
  const taken = only?.kind === 'option' ? [only.index, only.inlineValue ? only.index : only.index + 1] : [];
  return { steps, rest: args.filter((_, index) => !taken.includes(index)) };
}

function runStep(step: Step, rest: string[]): Promise<Tally> {
  if (step === 'types') return check('types (tsc)', ['node_modules/typescript/bin/tsc', '--noEmit']);
  if (step === 'style')
    return check('style (biome)', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings']);
  if (step === 'tidy') return vitest('unit', ['test/tidy', ...rest]);
  return vitest(step, rest);
}

async function check(name: string, args: string[]): Promise<Tally> {
  const failed = (await node(args)) === 0 ? [] : [name];
  return { passed: 1 - failed.length, failed, skipped: [], flaky: [] };
}

async function vitest(project: string, rest: string[]): Promise<Tally> {
  const file = join(CACHE, `test-${project}.json`);
  mkdirSync(CACHE, { recursive: true });
  let { code, result } = await runVitest(file, ['--project', project, ...rest]);
  if (!result)
    return { passed: 0, failed: [`${project}: vitest ended with ${code} and no report`], skipped: [], flaky: [] };
  const again = failedFiles(result);
  if (inCi && again.length > 0 && again.length <= SECOND_TRIES) {
    say(`── ${project}: ${again.length} files have failed tests and run again, alone`);
    const second = await runVitest(`${file}.second`, ['--project', project, '--no-file-parallelism', ...again]);
    if (second.result) {
      ({ code } = second);
      result = withSecondTry(result, second.result);
      writeFileSync(file, JSON.stringify(result));
    }
  }
  const tally = tallyVitest(result, ROOT);
  // Errors outside any test (an unhandled rejection, a leaking hook) show only in the exit code.
  if (code !== 0 && tally.failed.length === 0) tally.failed.push(`${project}: vitest ended with ${code}, see above`);
  return tally;
}

async function runVitest(file: string, args: string[]) {
  rmSync(file, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const code = await node(['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args]);
  const result = existsSync(file) ? VitestJson.parse(JSON.parse(readFileSync(file, 'utf8'))) : null;
  return { code, result };
}

/** Resolves with the exit code; a step that hangs is ended with everything it started. */
function node(args: string[]): Promise<number | string> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], detached: true });
    const end = (signal: NodeJS.Signals) => child.pid && process.kill(-child.pid, signal);
    const interrupted = () => {
      end('SIGTERM');
      process.exit(130);
    };
    process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
    const limit = setTimeout(() => {
      say(`no end after ${STEP_LIMIT_MS / 60_000} minutes: stopped`);
      end('SIGKILL');
    }, STEP_LIMIT_MS);
    child.once('exit', (code, signal) => {
      clearTimeout(limit);
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
      resolve(code ?? signal ?? 1);
    });
  });
}

async function timed(step: Step, run: () => Promise<Tally>): Promise<Tally> {
  const start_ms = performance.now();
  say(`── ${step}`);
  const tally = await run();
  say(`   ${step}: ${closingLine(tally)} in ${((performance.now() - start_ms) / 1000).toFixed(1)} s`);
  return tally;
}

function say(line: string): void {
  console.log(line);
}
