import { afterAll, describe, expect, it } from 'vitest';
import { openModbusBus } from '../../../../connectors/meters/modbus/bus.ts';
import { createRandom } from '../../../../recommender/random.ts';
import { encodedWord, FAULTS, openFaultyGateway } from './faults.ts';
import { after } from './nasty-server.ts';

const open: { close(): Promise<void> }[] = [];
afterAll(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

const begun = performance.now();
const now_ms = () => Math.floor(performance.now() - begun);
/** Two of the same length, so that one could be taken for the other, one single, one of the other function. */
const READS = [
  [3, 0, 8],
  [3, 400, 8],
  [3, 404, 1],
  [4, 800, 4],
  [3, 1200, 4],
] as const;

/** What each word should be if it was read between the two instants; '' where all are. */
function fault(words: Buffer, unit: number, address: number, from_ms: number): string {
  for (let i = 0; i < words.length / 2; i++) {
    const at = address + i;
    const word = words.readUInt16BE(2 * i);
    const place = at % 4;
    if (place < 2 && word !== encodedWord(unit, at, 0)) return `register ${at} of unit ${unit} holds ${word}`;
    if (place === 3 && (word < (from_ms & 0xffff) || word > (now_ms() & 0xffff)))
      return `register ${at} is old: ${word}`;
  }
  return '';
}

it('a gateway that gives the last answer again, from now on, is not believed', async () => {
  const gateway = await openFaultyGateway(createRandom(7), now_ms, 1);
  open.push(gateway);
  const bus = openModbusBus(
    { kind: 'tcp', host: '127.0.0.1', port: gateway.port, framing: 'tcp' },
    { timeout_ms: 150 },
  );
  open.push(bus);
  await bus.read(1, 3, 0, 8);
  gateway.fault = 'repeats itself';
  await expect(bus.read(1, 3, 400, 8)).rejects.toThrow(/answers something else than was asked/);
});

describe.concurrent('a gateway that fails in every way', () => {
  it.each(FAULTS)('%s: no value is wrong, and all is well again by itself', { timeout: 30_000 }, async (kind) => {
    const gateway = await openFaultyGateway(createRandom(7), now_ms, 1);
    open.push(gateway);
    const bus = openModbusBus(
      { kind: 'tcp', host: '127.0.0.1', port: gateway.port, framing: 'tcp' },
      { timeout_ms: 150, connect_timeout_ms: 1000 },
    );
    open.push(bus);
    const wrong: string[] = [];
    const round = async (unit: number): Promise<number> => {
      let good = 0;
      for (const [code, address, count] of READS) {
        const from_ms = now_ms();
        await bus.read(unit, code, address, count).then(
          (words) => {
            good += 1;
            const text = fault(words, unit, address, from_ms);
            if (text) wrong.push(text);
          },
          () => undefined,
        );
      }
      return good;
    };
    expect([await round(1), await round(2)]).toEqual([5, 5]);
    gateway.fault = kind;
    for (const until = now_ms() + 1500; now_ms() < until; ) for (const unit of [1, 2]) await round(unit);
    gateway.fault = null;
    const ended = now_ms();
    let good = 0;
    while (good < 10 && now_ms() - ended < 15_000) {
      good = (await round(1)) + (await round(2));
      if (good < 10) await after(20, null);
    }
    expect([kind, wrong, good]).toEqual([kind, [], 10]);
    expect(now_ms() - ended).toBeLessThan(10_000);
  });
});
