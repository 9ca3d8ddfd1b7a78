/** `npm run bench -- NAME [--option value]…`: runs test/bench/NAME.bench.ts; the last line is one flat JSON object. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTestEnvironment } from '../setup/environment.ts';
import { type BenchOptions, type BenchResult, lastLine, parseOptions } from './options.ts';

type Bench = {
  /** One sentence, with the options. */
  about: string;
  run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult>;
};

const SUFFIX = '.bench.ts';

function benchNames(): string[] {
  const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith(SUFFIX));
  return files.map((file) => file.slice(0, -SUFFIX.length)).sort();
}

async function load(name: string): Promise<Bench> {
  return (await import(join(import.meta.dirname, `${name}${SUFFIX}`))) as Bench;
}

async function list(): Promise<void> {
  console.log(
    'npm run bench -- NAME [--option value]… (--record, or --record OTHER-NAME, keeps the figures in docs/figures)',
  );
  for (const name of benchNames()) console.log(`  ${name.padEnd(12)} ${(await load(name)).about}`);
}

/** For docs/guarantees.md: figures of a run at full size on a quiet machine. */
function recordFigures(name: string, result: BenchResult): void {
  const folder = join(import.meta.dirname, '../../docs/figures');
  mkdirSync(folder, { recursive: true });
  const figures = { ...JSON.parse(lastLine(name, result)), recorded: new Date().toISOString().slice(0, 10) };
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(figures, null, 2)}\n`);
}

async function main([name, ...args]: string[]): Promise<void> {
  setTestEnvironment();
  if (!name) return list();
  if (!benchNames().includes(name))
    throw new Error(`no bench "${name}"; there are: ${benchNames().join(', ') || 'none'}`);
  const bench = await load(name);
  const { record, ...options } = parseOptions(args);
  const result = await bench.run(options, (line) => console.log(line));
  // One bench may run over several sets, each with figures of its own.
  if (record) recordFigures(record === 'true' ? name : record, result);
  // Written in one piece before leaving, so that nothing a bench left running can print after it.
  process.stdout.write(`${lastLine(name, result)}\n`, () => process.exit(0));
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
