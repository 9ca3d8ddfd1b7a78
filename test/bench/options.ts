/** What goes into a bench and comes out of it. */
export type BenchOptions = Record<string, string>;
export type BenchResult = Record<string, number | string | boolean | null>;
/** `--seconds 5 --fast --seed=7` → { seconds: '5', fast: 'true', seed: '7' } */
export function parseOptions(args: readonly string[]): BenchOptions {
  const options: BenchOptions = {};
  let open: string | undefined;
  for (const arg of args) {
    if (arg.startsWith('--')) {
      const [name = '', ...value] = arg.slice(2).split('=');
      options[name] = value.length > 0 ? value.join('=') : 'true';
      open = value.length > 0 ? undefined : name;
    } else if (open === undefined) {
      throw new Error(`expected an option such as --seconds 5, not "${arg}"`);
    } else {
      options[open] = arg;
      open = undefined;
    }
  }
  return options;
}

/** A last line that a program can read: nested values would not survive a table or a CSV. */
export function lastLine(name: string, result: BenchResult): string {
  const nested = Object.entries(result).find(([, value]) => typeof value === 'object' && value !== null);
  if (nested) throw new Error(`the bench ${name} gave a nested value for ${nested[0]}`);
  return JSON.stringify({ bench: name, ...result });
}
