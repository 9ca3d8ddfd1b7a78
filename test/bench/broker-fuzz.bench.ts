/** Packets that no honest client sends, at a broker in a process of its own: it must neither end nor grow. */
import { fuzz } from '../gateway/broker/fuzz.ts';
import { quantile } from './load/protocol.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'fuzzed MQTT packets: --packets 1010000 --seed 1 (some end with their connection before they are parsed)';

const TELL_EVERY = 50_000;

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const wanted = Number(options.packets ?? 1_010_000);
  const seed = Number(options.seed ?? 1);
  let told = 0;
  const result = await fuzz({ packets: wanted, seed, patient: true }, (packets) => {
    if (packets - told < TELL_EVERY) return;
    told = packets;
    progress(`${packets} of ${wanted} packets`);
  });
  const { packets, refused, sent, crashes, rss_growth_mb, heap_growth_mb, sockets_left, clients_left, neighbour_ms } =
    result;
  progress(`in use: ${heap_growth_mb.toFixed(1)} MB more than after the first tenth`);
  progress(`a neighbour meanwhile: ${neighbour_ms.length} readings, p99 ${quantile(neighbour_ms, 0.99).toFixed(1)} ms`);
  if (crashes === 0 && packets < wanted * 0.99)
    throw new Error(`only ${packets} of ${sent} packets that were sent reached the parser`);
  return {
    seed,
    packets,
    refused,
    crashes,
    rss_growth_mb: Number(rss_growth_mb.toFixed(1)),
    sockets_left,
    clients_left,
  };
}
