import { afterAll, describe, expect, it } from 'vitest';
import { type ModbusBus, openModbusBus } from '../../../../connectors/meters/modbus/bus.ts';
import { createDoubt } from '../../../../connectors/meters/modbus/doubt.ts';
import { createRandom } from '../../../../engine/random.ts';
import { until } from '../../../setup/until.ts';
import { encodedWord, FAULTS, isTimeBetween, openFaultyGateway } from './faults.ts';
import { type NastyServer, openNastyServer } from './nasty-server.ts';

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
    if (place === 3 && !isTimeBetween(word, from_ms, now_ms())) return `register ${at} is old: ${word}`;
  }
  return '';
}

it('the time in a register is compared across the turn of its 16 bits', () => {
  for (const begin of [0, 65_530, 131_066])
    for (const word of [begin, begin + 8, begin + 10])
      expect(isTimeBetween(word & 0xffff, begin, begin + 10)).toBe(true);
  expect(isTimeBetween(65_529, 65_530, 65_540)).toBe(false);
  expect(isTimeBetween(5, 65_530, 65_540)).toBe(false);
});

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

describe('the same bytes from another place', () => {
  const restful =
    (word: number) =>
    ({ count }: { count: number }) => ({ words: Array.from({ length: count }, () => word) });
  /** Ten meters at rest, ten rounds; @returns how many requests that cost. */
  async function rounds(bus: ModbusBus, server: NastyServer): Promise<number> {
    const before = server.requests.length;
    for (let i = 0; i < 100; i++) await bus.read(1 + (i % 10), 3, 0, 8);
    return server.requests.length - before;
  }
  async function rest(word: number) {
    const server = await openNastyServer(restful(word));
    open.push(server);
    const bus = openModbusBus(
      { kind: 'tcp', host: '127.0.0.1', port: server.port, framing: 'tcp' },
      { timeout_ms: 150 },
    );
    open.push(bus);
    return { server, bus };
  }

  it('cost nothing where ten meters stand at zero on a healthy line', async () => {
    const { server, bus } = await rest(0);
    expect(await rounds(bus, server)).toBe(100);
  });

  it('cost one check where ten meters say the same, and one more after a fault', async () => {
    const { server, bus } = await rest(7);
    expect(await rounds(bus, server)).toBe(102);
    expect(await rounds(bus, server)).toBe(100);
    server.manner = () => 'silent';
    await expect(bus.read(1, 3, 0, 8)).rejects.toThrow(/No answer/);
    server.manner = restful(7);
    // One short request, since the answer may come late; then the check once more.
    expect(await rounds(bus, server)).toBeLessThanOrEqual(104);
  });

  it('are checked at zero too while the last fault is recent', () => {
    let now = 0;
    const doubt = createDoubt(() => now);
    const zero = Buffer.alloc(16);
    expect(doubt.mayBeRepeated(zero)).toBe(false);
    doubt.add(8);
    expect(doubt.mayBeRepeated(zero)).toBe(true);
    doubt.clear(zero);
    expect(doubt.mayBeRepeated(zero)).toBe(false);
    doubt.add(1);
    expect(doubt.mayBeRepeated(zero)).toBe(true);
    now += 60_000;
    expect(doubt.mayBeRepeated(zero)).toBe(false);
    const other = Buffer.alloc(16, 1);
    doubt.clear(other);
    expect(doubt.mayBeRepeated(other)).toBe(false);
    now += 60_000;
    expect(doubt.mayBeRepeated(other)).toBe(true);
  });
});

describe.concurrent('a gateway that fails in every way', () => {
  it.each(FAULTS)('%s: no value is wrong, and all is well again by itself', { timeout: 60_000 }, async (kind) => {
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
    const all = async () => (await round(1)) + (await round(2)) === 10;
    await until(all, 'a machine that answers in time');
    gateway.fault = kind;
    for (const until = now_ms() + 1500; now_ms() < until; ) for (const unit of [1, 2]) await round(unit);
    gateway.fault = null;
    const ended = now_ms();
    // The promise is 10 s (bench); a link that hangs until a restart never comes back.
    await until(all, `recovery from ${kind}`, 20_000);
    expect([kind, wrong]).toEqual([kind, []]);
    expect(now_ms() - ended).toBeLessThan(20_000);
  });
});
