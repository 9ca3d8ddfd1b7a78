/** Prints what became of each place that writes, a line each. */
import { checkFileSites } from './files.ts';

await checkFileSites((outcome) => console.log(JSON.stringify(outcome)));
process.exit(0);
