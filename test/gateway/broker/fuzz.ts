/** Sends fuzzed packets to a broker in a process of its own, while a neighbour goes on publishing. */
import { type ChildProcess, fork } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../../engine/random.ts';
import type { Held, Taken } from './fuzz-broker.ts';
import { createFuzzer } from './fuzz-packets.ts';
import { openRaw, publishPacket } from './raw-client.ts';
import { PASSWORD } from './rig.ts';

export type FuzzResult = {
  /** What the broker's parser took for a packet or refused as none; more was sent that it never saw. */
  packets: number;
  /** Those of them that the parser refused. */
  refused: number;
  sent: number;
  crashes: number;
  /** From a tenth of the packets to the end, after garbage collection. */
  rss_growth_mb: number;
  /** The same of what is really in use. */
  heap_growth_mb: number;
  /** Connections the broker still has, though nobody who is known is connected. */
  sockets_left: number;
  /** Clients that the broker still has in memory, connected or not. */
  clients_left: number;
  /** From PUBLISH to PUBACK of an honest neighbour meanwhile, in ms, ascending. */
  neighbour_ms: number[];
};

const CONNECTIONS = 24;
/** A connection is left when it ended, or after this. */
const EXCHANGE_MS = 40;
const HALF_OPEN = 300;
/** What a refused connection may take to end; and one that never says who it is. */
const REFUSED_MS = 2500;
const SILENT_MS = 13_000;
const LIMIT_MS = 30_000;
/** Of what is sent, some is never read, because what came before it ended the connection. */
const SENT_MOST = 5;

/** @param patient also waits for connections that never said a word, and leaves them open */
export async function fuzz(
  { packets, seed, patient }: { packets: number; seed: number; patient: boolean },
  progress: (packets: number) => void = () => {},
): Promise<FuzzResult> {
  const random = createRandom(seed);
  const fuzzer = createFuzzer(random, { username: 'a', password: PASSWORD, base: 'meters/a/' });
  const execArgv = ['--expose-gc', '--disable-warning=ExperimentalWarning'];
  const broker = fork(join(import.meta.dirname, 'fuzz-broker.ts'), { execArgv });
  let crashes = 0;
  broker.once('exit', () => crashes++);
  const { port } = await answer<{ port: number }>(broker, 'port');
  const state = { sent: 0, taken: 0, stopped: false };
  broker.on('message', ({ taken }: { taken?: Taken }) => {
    if (taken) state.taken = taken.parsed + taken.refused;
  });
  const halfOpen = new Set<Socket>();
  const crashed = () => crashes > 0;
  try {
    const neighbour = publishOn(port, state);
    let warm: Promise<Held> | null = null;
    async function work(): Promise<void> {
      while (state.taken < packets && state.sent < packets * SENT_MOST && !crashed()) {
        const { bytes, packets: count } = fuzzer.stream();
        state.sent += count;
        if (state.sent % 2000 < count) progress(state.taken);
        if (random() < 0.02) remain(port, random() < 0.5 ? bytes.subarray(0, 7) : Buffer.alloc(0), halfOpen);
        await exchange(port, bytes);
        if (!warm && state.taken >= packets / 10) warm = measure(broker, crashed);
      }
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, work));
    state.stopped = true;
    const neighbour_ms = (await neighbour).sort((a, b) => a - b);
    if (!patient) for (const socket of halfOpen) socket.destroy();
    await sleep(patient ? SILENT_MS : REFUSED_MS);
    const end = await measure(broker, crashed);
    const begin = await (warm ?? end);
    const rss_growth_mb = Math.max(0, end.rss_mb - begin.rss_mb);
    const heap_growth_mb = Math.max(0, end.heap_mb - begin.heap_mb);
    const { parsed, refused } = end.taken;
    // The neighbour's own: CONNECT and what it published.
    const fuzzed = Math.max(0, parsed + refused - neighbour_ms.length - 1);
    return {
      ...{ packets: fuzzed, refused, sent: state.sent, crashes, rss_growth_mb, heap_growth_mb },
      ...{ sockets_left: end.sockets, clients_left: end.clients, neighbour_ms },
    };
  } finally {
    broker.removeAllListeners('exit');
    for (const socket of halfOpen) socket.destroy();
    if (broker.connected) broker.disconnect();
  }
}

/** @param key that the answer has */
function answer<T>(child: ChildProcess, key: keyof T & string): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error('the broker ended'));
    child.once('exit', ended);
    const heard = (said: object) => {
      if (!(key in said)) return;
      child.off('exit', ended);
      child.off('message', heard);
      resolve(said as T);
    };
    child.on('message', heard);
  });
}

async function measure(broker: ChildProcess, crashed: () => boolean): Promise<Held> {
  if (crashed()) return { rss_mb: 0, heap_mb: 0, sockets: 0, clients: 0, taken: { parsed: 0, refused: 0 } };
  broker.send('measure');
  return answer<Held>(broker, 'rss_mb');
}

function dial(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  return socket;
}

async function exchange(port: number, bytes: Buffer): Promise<void> {
  const socket = dial(port).resume();
  const ended = new Promise((done) => socket.once('close', done));
  socket.write(bytes);
  await Promise.race([ended, sleep(EXCHANGE_MS)]);
  socket.destroy();
}

/** Connects, says little or nothing and stays; the oldest of many leave. */
function remain(port: number, bytes: Buffer, halfOpen: Set<Socket>): void {
  const socket = dial(port);
  socket.write(bytes);
  halfOpen.add(socket);
  if (halfOpen.size <= HALF_OPEN) return;
  const [oldest] = halfOpen;
  oldest!.destroy();
  halfOpen.delete(oldest!);
}

async function publishOn(port: number, state: { stopped: boolean }): Promise<number[]> {
  const client = await openRaw(port, { clientId: 'neighbour', username: 'b', password: Buffer.from(PASSWORD) });
  await client.next('connack', LIMIT_MS);
  const took: number[] = [];
  for (let id = 1; !state.stopped; id = (id % 60_000) + 1) {
    const begun = performance.now();
    client.send(publishPacket('meters/b/readings', '{"power_W":1}', id));
    await client.next('puback', LIMIT_MS);
    took.push(performance.now() - begun);
    await sleep(10);
  }
  client.end();
  return took;
}
