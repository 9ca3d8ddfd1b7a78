/** A process with a broker of its own, that says how much it holds: for what must not make it grow or end. */
import { queryObjects } from 'node:v8';
import { parser } from 'mqtt-packet';
import { openRig } from './rig.ts';

/** What the parser of the broker gave out as packets, and what it refused as none. */
export type Taken = { parsed: number; refused: number };
export type Held = { rss_mb: number; heap_mb: number; sockets: number; clients: number; taken: Taken };
/** As if memory were short: V8 gives back what it keeps in reserve. */
type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

const TELL_EVERY_MS = 100;
const taken: Taken = { parsed: 0, refused: 0 };
// All parsers share what stands behind them, those that aedes makes for its connections too.
const shared = Object.getPrototypeOf(parser()) as NodeJS.EventEmitter;
const emit = shared.emit;
/** The class of what aedes has for each connection. */
let clientClass: (new () => unknown) | null = null;
shared.emit = function (this: NodeJS.EventEmitter & { client?: object }, event, ...args: unknown[]) {
  clientClass ??= (this.client?.constructor as new () => unknown) ?? null;
  if (event === 'packet') taken.parsed++;
  if (event === 'error') taken.refused++;
  return emit.call(this, event, ...args);
};

const rig = await openRig();
process.send!({ port: rig.broker.port });
// Who listens may leave between the question and the sending.
setInterval(() => process.connected && process.send!({ taken }, undefined, undefined, () => {}), TELL_EVERY_MS).unref();
process.on('message', (message) => {
  if (message !== 'measure') return;
  // What the rig keeps for its tests is no growth of the broker.
  rig.stored.length = 0;
  rig.reports.length = 0;
  (globalThis.gc as Collect)({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  const sockets = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  const clients = clientClass === null ? 0 : queryObjects(clientClass, { format: 'count' });
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send!({
    rss_mb: rss / 1024 ** 2,
    heap_mb: (heapUsed + external) / 1024 ** 2,
    sockets,
    clients,
    taken,
  } satisfies Held);
});
process.on('disconnect', () => void rig.close().then(() => process.exit(0)));
