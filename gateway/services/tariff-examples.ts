/** The example tariffs of `tariffs/`, to begin with. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', '..', 'tariffs');

export type TariffExample = { id: string; yaml: string };

export function tariffExamples(): TariffExample[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => ({ id: name.replace(/\.yaml$/, ''), yaml: readFileSync(join(FOLDER, name), 'utf8') }));
}
