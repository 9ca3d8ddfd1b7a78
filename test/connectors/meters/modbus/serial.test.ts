/** Modbus RTU over a real serial port: a pseudo-terminal of this machine, with devices that behave and misbehave. */
import { afterEach, describe, expect, it } from 'vitest';
import { createBusRegistry, type ModbusBus, openModbusBus } from '../../../../connectors/meters/modbus/bus.ts';
import { ModbusException } from '../../../../connectors/meters/modbus/request.ts';
import { openModbusSource } from '../../../../connectors/meters/modbus/source.ts';
import { UnavailableError } from '../../../../engine/errors.ts';
import { profiles } from '../../../gateway/services/device-rig.ts';
import { until } from '../../../setup/until.ts';
import { frameOf, noSerialLine, openSerialLine, type SerialLine, type SerialRequest } from './serial-line.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});
const echo = ({ address, count }: SerialRequest) => ({ words: Array.from({ length: count }, (_, i) => address + i) });
const words = (buffer: Buffer) => Array.from({ length: buffer.length / 2 }, (_, i) => buffer.readUInt16BE(2 * i));

async function start(answer: SerialLine['answer'] = echo): Promise<{ line: SerialLine; bus: ModbusBus }> {
  const line = await openSerialLine(answer);
  const bus = openModbusBus(
    { kind: 'serial', path: line.path, baud: 9600, parity: 'none', stop_bits: 1 },
    { timeout_ms: 500 },
  );
  open.push(line, bus);
  return { line, bus };
}

describe.skipIf(noSerialLine !== null)(`a serial line${noSerialLine ? ` (${noSerialLine})` : ''}`, () => {
  it('reads holding and input registers of several units in turn', async () => {
    const { line, bus } = await start();
    const answers = await Promise.all([bus.read(1, 3, 100, 2), bus.read(2, 4, 7, 1), bus.read(1, 3, 500, 125)]);
    expect(answers.map((buffer) => words(buffer)[0])).toEqual([100, 7, 500]);
    expect(words(answers[2])).toHaveLength(125);
    expect(line.requests.map(({ unit, code }) => `${unit}/${code}`)).toEqual(['1/3', '2/4', '1/3']);
  });

  it('says which registers a device refuses', async () => {
    const { bus } = await start(() => ({ exception: 2 }));
    const refused = bus.read(1, 3, 40, 2);
    await expect(refused).rejects.toBeInstanceOf(ModbusException);
    await expect(refused).rejects.toThrow('The device refuses registers 40 to 41: it has no such register.');
  });

  it('goes on after a unit that is silent, a broken frame and the answer of another unit', async () => {
    const { bus, line } = await start();
    for (const broken of [
      () => 'silent' as const,
      (request: SerialRequest) => {
        const raw = frameOf(request, echo(request));
        raw[4]! ^= 0xff;
        return { raw };
      },
      (request: SerialRequest) => ({ raw: frameOf({ ...request, unit: 9 }, echo(request)) }),
      (request: SerialRequest) => ({ raw: frameOf(request, echo(request)).subarray(0, 4) }),
    ]) {
      line.answer = broken;
      await expect(bus.read(1, 3, 10, 1)).rejects.toThrow();
      line.answer = echo;
      let value: number[] = [];
      await until(async () => {
        value = await bus.read(1, 3, 20, 1).then(words, () => []);
        return value.length > 0;
      }, 'the next answer');
      expect(value).toEqual([20]);
    }
  });

  it('never takes a late answer for that of a later request', async () => {
    const { bus, line } = await start();
    let send = () => {};
    line.answer = (request) =>
      request.address === 1
        ? new Promise((done) => {
            send = () => done(echo(request));
          })
        : echo(request);
    await expect(bus.read(1, 3, 1, 1)).rejects.toThrow(UnavailableError);
    const wrong: number[] = [];
    const late = setTimeout(() => send(), 100);
    for (let address = 2; address < 12; address++) {
      const value = await bus.read(1, 3, address, 1).then(words, () => [address]);
      if (value[0] !== address) wrong.push(value[0]!);
    }
    clearTimeout(late);
    expect(wrong).toEqual([]);
  });

  it('says in words that the adapter is gone, and that a path is none', async () => {
    const { bus, line } = await start();
    await bus.read(1, 3, 1, 1);
    await line.unplug();
    await expect(bus.read(1, 3, 1, 1)).rejects.toThrow(/adapter|cannot be opened|No answer/);
    const none = openModbusBus({ kind: 'serial', path: '/dev/no-such-port', baud: 9600, parity: 'none', stop_bits: 1 });
    open.push(none);
    await expect(none.read(1, 3, 1, 1)).rejects.toThrow(/serial port \/dev\/no-such-port cannot be opened/);
  });

  it('reads a meter by its profile, beside another on the same line', async () => {
    const float = (value: number) => {
      const bytes = Buffer.alloc(4);
      bytes.writeFloatBE(value);
      return [bytes.readUInt16BE(0), bytes.readUInt16BE(2)];
    };
    const registers = (unit: number) =>
      new Map([0x34, 0x0c].flatMap((at) => float(100 * unit).map((word, i) => [at + i, word])));
    const line = await openSerialLine(({ unit, address, count }) => ({
      words: Array.from({ length: count }, (_, i) => registers(unit).get(address + i) ?? 0),
    }));
    const buses = createBusRegistry({ timeout_ms: 1000 });
    open.push(line, buses);
    const connection = {
      kind: 'modbus-rtu',
      path: line.path,
      baud: 9600,
      parity: 'none',
      stop_bits: 1,
      poll_s: 1,
    } as const;
    const sources = [3, 5].map((unit) =>
      openModbusSource(profiles.full('eastron-sdm630'), { ...connection, unit }, { buses, clock: Date }),
    );
    const read = await Promise.all(sources.map((source) => source.read(AbortSignal.timeout(15_000))));
    const powers = read.map(({ readings }) => readings.find(({ quantity }) => quantity === 'power_W')?.value);
    expect(powers).toEqual([300, 500]);
    await Promise.all(sources.map((source) => source.close()));
  });
});
