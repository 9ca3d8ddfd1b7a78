import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planReads, type Wanted } from '../../../../connectors/meters/modbus/plan.ts';
import { decodeRegister, decodeText } from '../../../../connectors/meters/modbus/registers.ts';

const at = (address: number, length = 2, code: 3 | 4 = 3): Wanted => ({ function: code, address, length });
const shown = (wanted: Wanted[], limits = {}) =>
  planReads(wanted, { max_registers: 125, max_gap: 4, forbidden: [], ...limits }).map(
    (r) => `${r.function}:${r.address}+${r.count}`,
  );

describe('planned reads', () => {
  it('merges neighbours and small gaps, keeps function codes and limits apart', () => {
    expect(shown([at(10), at(0), at(2)])).toEqual(['3:0+4', '3:10+2']);
    expect(shown([at(0), at(6)])).toEqual(['3:0+8']);
    expect(shown([at(0), at(7)])).toEqual(['3:0+2', '3:7+2']);
    expect(shown([at(0), at(0, 2, 4)])).toEqual(['3:0+2', '4:0+2']);
    expect(shown([at(0, 60), at(60, 60), at(120, 6)])).toEqual(['3:0+120', '3:120+6']);
    expect(shown([at(0, 4), at(1, 1)])).toEqual(['3:0+4']);
  });
  it('never reads a forbidden register along', () => {
    expect(shown([at(0), at(4)], { forbidden: [[2, 3]] })).toEqual(['3:0+2', '3:4+2']);
    expect(shown([at(0), at(4)], { forbidden: [[3, 3]] })).toEqual(['3:0+2', '3:4+2']);
    expect(shown([at(0), at(4)], { forbidden: [[2, 2]] })).toEqual(['3:0+2', '3:4+2']);
    expect(shown([at(0), at(4)], { forbidden: [[6, 9]] })).toEqual(['3:0+6']);
  });
  it('covers everything that is wanted, within the limits, whatever is asked', () => {
    const item = fc.record({
      function: fc.constantFrom<3 | 4>(3, 4),
      address: fc.integer({ min: 0, max: 300 }),
      length: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(
        fc.array(item, { maxLength: 40 }),
        fc.integer({ min: 4, max: 125 }),
        fc.integer({ min: 0, max: 20 }),
        (wanted, max_registers, max_gap) => {
          const forbidden: [number, number][] = [
            [100, 110],
            [200, 200],
          ];
          const allowed = wanted.filter(
            (w) => !forbidden.some(([from, to]) => w.address <= to && w.address + w.length > from),
          );
          const requests = planReads(allowed, { max_registers, max_gap, forbidden });
          for (const w of allowed)
            expect(
              requests.some(
                (r) =>
                  r.function === w.function && r.address <= w.address && w.address + w.length <= r.address + r.count,
              ),
            ).toBe(true);
          for (const r of requests) {
            expect(r.count).toBeLessThanOrEqual(max_registers);
            expect(forbidden.some(([from, to]) => r.address <= to && r.address + r.count > from)).toBe(false);
          }
        },
      ),
    );
  });
});

describe('registers', () => {
  const big = { word_order: 'big', byte_order: 'big' } as const;
  const hex = (text: string) => Buffer.from(text, 'hex');
  it.each([
    ['u16', 'fffe', 65534],
    ['s16', 'fffe', -2],
    ['u32', '0001e240', 123456],
    ['s32', 'fffffffe', -2],
    ['u64', '000000000012d687', 1234567],
    ['s64', 'fffffffffffffffe', -2],
    ['float32', '43663333', 230.2],
    ['float64', '4028b0a3d70a3d71', 12.345],
    ['bcd16', '1234', 1234],
    ['bcd32', '00123456', 123456],
    ['float32', '7fc00000', null],
    ['float32', 'ffc00000', null],
    ['float32', '7f800000', null],
    ['bcd16', '12fa', null],
  ] as const)('%s %s is %s', (type, bytes, value) => expect(decodeRegister(hex(bytes), type, big)).toBe(value));

  it.each([
    ['big', 'big', '43663333'],
    ['little', 'big', '33334366'],
    ['big', 'little', '66433333'],
    ['little', 'little', '33336643'],
  ] as const)('words %s, bytes %s', (word_order, byte_order, bytes) =>
    expect(decodeRegister(hex(bytes), 'float32', { word_order, byte_order })).toBe(230.2),
  );
  it('turns the words of 64 bits round', () => {
    expect(decodeRegister(hex('d687001200000000'), 'u64', { word_order: 'little', byte_order: 'big' })).toBe(1234567);
  });
  it('reads text up to the first NUL', () => expect(decodeText(hex('42322e31302e30000041'), big)).toBe('B2.10.0'));
  it('leaves the words it was given as they were', () => {
    const words = hex('33334366');
    decodeRegister(words, 'float32', { word_order: 'little', byte_order: 'big' });
    expect(words.toString('hex')).toBe('33334366');
  });
});
