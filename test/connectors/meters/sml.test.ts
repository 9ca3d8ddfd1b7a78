import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { openHttpSource } from '../../../connectors/meters/http/source.ts';
import { createTopicDecoder } from '../../../connectors/meters/mqtt/topic-decoder.ts';
import { createPayloadDecoder } from '../../../connectors/meters/profile/payload.ts';
import { parseProfile } from '../../../connectors/meters/profile/profile.ts';
import { decodeSml } from '../../../connectors/meters/profile/sml.ts';
import { readField } from '../../../connectors/meters/profile/sml-fields.ts';
import { crcX25, unwrapSmlFile } from '../../../connectors/meters/profile/sml-transport.ts';
import { FRAMES } from './sml-frames.ts';

const valuesOf = (hex: string | Buffer) =>
  Object.fromEntries(decodeSml(typeof hex === 'string' ? Buffer.from(hex, 'hex') : hex).values);
const W = (value: number) => ({ value, unit: 'W' });
const Wh = (value: number) => ({ value, unit: 'Wh' });
const V = (value: number) => ({ value, unit: 'V' });

describe('SML files of real meters', () => {
  it('EMH eHZ: what the collection documents of it', () =>
    expect(valuesOf(FRAMES.emh)).toEqual({
      '1-0:1.8.1': Wh(14798112.9),
      '1-0:1.8.2': Wh(2012.4),
      '1-0:1.7.0': W(13.8),
    }));
  it('DZG DVS-7412: power that lacks a leading zero is 356.24 W, not −299.12 W', () =>
    expect(valuesOf(FRAMES.dzg_unsigned)).toEqual({
      '1-0:1.8.0': Wh(5430157.7),
      '1-0:2.8.0': Wh(26244572.6),
      '1-0:16.7.0': W(356.24),
    }));
  it('DZG DVS-7420: two bytes of negative power stay negative', () =>
    expect(valuesOf(FRAMES.dzg_negative)).toMatchObject({ '1-0:2.8.0': Wh(1500321.3), '1-0:16.7.0': W(-105.5) }));
  it('ISKRA MT175: eight bytes of energy, four of negative power, two bytes of TL', () =>
    expect(valuesOf(FRAMES.iskra)).toMatchObject({
      '1-0:1.8.0': Wh(10732309.1),
      '1-0:2.8.0': Wh(28275324.5),
      '1-0:16.7.0': W(-4308),
      '1-0:36.7.0': W(-1392),
      '1-0:56.7.0': W(-1432),
      '1-0:76.7.0': W(-1482),
    }));
  it('EasyMeter Q3A: negative scalers, voltages', () =>
    expect(valuesOf(FRAMES.easymeter)).toMatchObject({
      '1-0:1.8.0': Wh(2941646.1614),
      '1-0:16.7.0': W(810.26),
      '1-0:32.7.0': V(232.5),
      '1-0:52.7.0': V(230.7),
    }));
  it('Holley DTZ541: a sensor time that is no list', () =>
    expect(valuesOf(FRAMES.holley)).toMatchObject({
      '1-0:1.8.0': Wh(4499896.2),
      '1-0:16.7.0': W(137),
      '1-0:32.7.0': V(234.4),
      '1-0:31.7.0': { value: 0.41, unit: 'A' },
      '1-0:14.7.0': { value: 50, unit: 'Hz' },
    }));
  it('hexadecimal text is the same', () =>
    expect(valuesOf(Buffer.from(`${FRAMES.emh.toUpperCase()}\r\n`))).toEqual(valuesOf(FRAMES.emh)));
});

/** A file around `messages`, as the standard has it; `transport` may spoil it. */
function file(messages: Buffer): Buffer {
  const fill = (4 - (messages.length % 4)) % 4;
  const data = Buffer.concat([messages, Buffer.alloc(fill)]);
  const escaped = Buffer.from(data.toString('hex').replace(/((?:..)*?)(1b1b1b1b)/g, '$1$2$2'), 'hex');
  const covered = Buffer.concat([
    Buffer.from('1b1b1b1b01010101', 'hex'),
    escaped,
    Buffer.from([0x1b, 0x1b, 0x1b, 0x1b, 0x1a, fill]),
  ]);
  return Buffer.concat([covered, littleEndian(crcX25(covered))]);
}
function littleEndian(crc: number): Buffer {
  return Buffer.from([crc & 0xff, crc >> 8]);
}
function message(body: string): Buffer {
  const covered = Buffer.from(`76050000000162006200${body}`, 'hex');
  return Buffer.concat([covered, Buffer.from('63', 'hex'), littleEndian(crcX25(covered)), Buffer.from([0])]);
}
/** A list response with one entry each: OBIS code, unit, scaler and value in hexadecimal. */
function list(...entries: [code: string, rest: string][]): Buffer {
  const inner = entries.map(([code, rest]) => `7707${code}0101${rest}01`).join('');
  return file(message(`7263070177010b0a01454d48000000000101017${entries.length.toString(16)}${inner}0101`));
}
const POWER = '0100100700ff';

describe('the encoding of SML', () => {
  it.each([
    ['5281', -127],
    ['53ff38', -200],
    ['54ffff38', -200],
    ['55ffffff38', -200],
    ['56ffffffff38', -200],
    ['5900000000000000c8', 200],
    ['62ff', 255],
    ['63fffe', 65534],
    ['64fffffe', 16777214],
    ['6900000000ffffffff', 4294967295],
  ])('%s', (hex, watts) => expect(valuesOf(list([POWER, `621b5200${hex}`]))).toEqual({ '1-0:16.7.0': W(watts) }));

  it('scales by powers of ten without rounding faults', () => {
    expect(valuesOf(list([POWER, '621b52ff550000008a']))).toEqual({ '1-0:16.7.0': W(13.8) });
    expect(valuesOf(list([POWER, '621b5203550000164a']))).toEqual({ '1-0:16.7.0': W(5_706_000) });
    expect(valuesOf(list([POWER, '621b01550000008a']))).toEqual({ '1-0:16.7.0': W(138) });
  });
  it('four bytes 1b in the data are escaped', () => {
    const sent = list([POWER, '621b5200551b1b1b1b']);
    expect(sent.toString('hex')).toContain('551b1b1b1b1b1b1b1b01');
    expect(valuesOf(sent)).toEqual({ '1-0:16.7.0': W(0x1b1b1b1b) });
  });
  it('octet strings, booleans and left out fields are no values', () =>
    expect(valuesOf(list([POWER, '010104454d48'], ['0100010800ff', '01014201'], ['0100020800ff', '010101']))).toEqual(
      {},
    ));
  it('long octet strings have two TL bytes', () => {
    const cursor = { bytes: Buffer.from(`8302${'ab'.repeat(48)}`, 'hex'), at: 0 };
    expect(readField(cursor)).toEqual(Buffer.alloc(48, 0xab));
    expect(cursor.at).toBe(50);
  });
  it('its checksum is CRC-16/X-25', () => {
    // The check value that is published for this CRC: reveng.sourceforge.io/crc-catalogue, CRC-16/IBM-SDLC (X-25, ISO-HDLC).
    expect(crcX25(Buffer.from('123456789'))).toBe(0x906e);
    // docs.rs/sml-rs, parser::complete: a message that closes a file
    expect(crcX25(Buffer.from('7605dd43440062006200726302017101', 'hex'))).toBe(0x56fd);
    // spacemanspiff2007/SmlLib, tests/test_crc.py: messages of meters
    expect(crcX25(Buffer.from('7605032b18116200620072630201710163fa3600', 'hex').subarray(0, -4))).toBe(0x36fa);
  });
});

// The specification (BSI TR-03109-1, annex IV part b, version 1.0) describes the encoding, but no whole example frame of it was
// found published. So frames of meters stand above, and here frames of another implementation, with its checksums.
describe('frames that another implementation encodes (felixwrt/sml-rs, transport protocol version 1)', () => {
  it.each([
    ['1b1b1b1b01010101123456781b1b1b1b1a00b87b', '12345678'],
    ['1b1b1b1b01010101123456001b1b1b1b1a0191a5', '123456'],
  ])('%s', (hex, data) => {
    expect(Buffer.from(unwrapSmlFile(Buffer.from(hex, 'hex'))).toString('hex')).toBe(data);
    const bad = Buffer.from(hex, 'hex');
    bad[9]! ^= 1;
    expect(() => unwrapSmlFile(bad)).toThrow(/SML/);
  });
});

describe('SML that is not whole gives an error and no value', () => {
  const good = Buffer.from(FRAMES.emh, 'hex');
  const refused = (bytes: Buffer) => expect(() => decodeSml(bytes));

  it('every single wrong byte is noticed', () => {
    for (let i = 0; i < good.length; i++) {
      const bad = Buffer.from(good);
      bad[i] = bad[i]! ^ 0x10;
      expect(() => decodeSml(bad), `byte ${i}`).toThrow(/SML/);
    }
  });
  it('cut at any place', () => {
    for (let i = 0; i < good.length; i++) refused(good.subarray(0, i)).toThrow(/no SML file|cut short/);
  });
  it('a message with a wrong checksum in a file with a right one', () => {
    const bad = message(`726302017101`);
    bad[bad.length - 2] = bad[bad.length - 2]! ^ 1;
    refused(file(bad)).toThrow(/message at byte 0 was damaged/);
  });
  it('two files mixed, or bytes around one', () => {
    refused(Buffer.concat([good.subarray(0, 100), good])).toThrow(/second SML file begins/);
    refused(Buffer.concat([good, good])).toThrow(/followed by \d+ bytes/);
    refused(Buffer.concat([good.subarray(40), good])).toThrow(/must begin/);
  });
  it('one value twice', () => refused(list([POWER, '621b52006201'], [POWER, '621b52006202'])).toThrow(/16.7.0 twice/));
  it('an unknown escape, broken fields, deep lists, text', () => {
    refused(Buffer.from(good.toString('hex').replace('0101010176', '0202020276'), 'hex')).toThrow(/must begin/);
    refused(file(message('72630701f1'))).toThrow(/malformed/);
    refused(file(message('71'.repeat(40)))).toThrow(/too deep/);
    refused(file(message('7263070177'))).toThrow(/malformed/);
    refused(Buffer.from('hello')).toThrow(/no SML file/);
    refused(Buffer.alloc(0)).toThrow(/no SML file/);
  });
  it('random bytes in a whole transport never crash otherwise', () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      return seed >> 16;
    };
    for (let i = 0; i < 2000; i++)
      refused(file(Buffer.from(Array.from({ length: 1 + (random() % 60) }, () => random() & 0xff)))).toThrow(/SML/);
  });
});

describe('a profile with the format sml', () => {
  const decoder = (unit: string) =>
    createPayloadDecoder({
      format: 'sml',
      measurements: [
        {
          channel: 'main',
          quantity: 'power_W',
          path: '1-0:1.7.0',
          unit,
          factor: 1,
          sign: 1,
          invalid: [],
          plus: [],
          minus: [],
        },
      ],
    });
  it('reads values in the unit that the meter states', () => {
    expect(decoder('W')(Buffer.from(FRAMES.emh, 'hex'), 5)).toEqual([
      { channel: 'main', quantity: 'power_W', value: 13.8, at_ms: 5 },
    ]);
    expect(decoder('kW')(FRAMES.emh, 5)[0]?.value).toBe(0.0138);
  });
  it('refuses a unit of another kind', () =>
    expect(() => decoder('V')(FRAMES.emh, 5)).toThrow('The SML file holds 1-0:1.7.0, but it comes in W, not in V.'));
});

describe('SML arrives binary', () => {
  const mqtt = { vendor: 'V', model: 'M', transport: 'mqtt', channels: { main: { label: 'L', role: 'grid' } } };
  const payload = { format: 'sml', measurements: [{ quantity: 'power_W', path: '1-0:1.7.0', unit: 'W' }] };
  const profile = (more: object) => ({
    ...parseProfile('x', JSON.stringify({ ...mqtt, ...more })),
    name: 'x',
    verified: false,
  });

  it('over MQTT, where text would break it', () => {
    const device = { tenant: 'default', id: 'm', connection: { kind: 'mqtt' as const, topic: 'meter' } };
    const decoder = createTopicDecoder(profile({ mqtt: { topics: [{ topic: '{topic}', ...payload }] } }), device);
    expect(decoder.decode('meter', Buffer.from(FRAMES.emh, 'hex'), 7).readings).toEqual([
      { channel: 'main', quantity: 'power_W', value: 13.8, at_ms: 7 },
    ]);
    expect(() => decoder.decode('meter', Buffer.from(FRAMES.emh, 'hex').subarray(0, 90), 7)).toThrow(/cut short/);
  });
  it('over HTTP', async () => {
    const server = createServer((_, response) => response.end(Buffer.from(FRAMES.emh, 'hex')));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const http = profile({ transport: 'http', http: { requests: [{ path: '/', ...payload }] } });
      const source = openHttpSource(http, { kind: 'http', url, token: null, poll_s: 5 }, { clock: { now: () => 7 } });
      const { readings } = await source.read(new AbortController().signal);
      expect(readings).toMatchObject([{ quantity: 'power_W', value: 13.8 }]);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
