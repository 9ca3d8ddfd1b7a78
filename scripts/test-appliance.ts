/**
 * `make test-appliance`: the appliance for real where a container engine answers, in a project of its own; its figures
 * are one JSON object on the last line. Options: those of the bench `appliance` (`npm run bench` lists them).
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { engineMissing } from '../test/bench/appliance/stack.ts';

const missing = engineMissing();
if (missing) console.log(`skipped: ${missing}. The static checks of the appliance are in \`make test\`.`);
else {
  const bench = join(import.meta.dirname, '../test/bench/bench.ts');
  const { status } = spawnSync(process.execPath, [...process.execArgv, bench, 'appliance', ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
}
