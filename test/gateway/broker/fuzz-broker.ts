/** A process with a broker of its own, that says how much it holds: for what must not make it grow or end. */
import { openRig } from './rig.ts';

export type Held = { rss_mb: number; heap_mb: number; sockets: number };
/** As if memory were short: V8 gives back what it keeps in reserve. */
type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

const rig = await openRig();
process.send!({ port: rig.broker.port });
process.on('message', (message) => {
  if (message !== 'measure') return;
  // What the rig keeps for its tests is no growth of the broker.
  rig.stored.length = 0;
  rig.reports.length = 0;
  (globalThis.gc as Collect)({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  const sockets = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send!({ rss_mb: rss / 1024 ** 2, heap_mb: (heapUsed + external) / 1024 ** 2, sockets } satisfies Held);
});
process.on('disconnect', () => void rig.close().then(() => process.exit(0)));
