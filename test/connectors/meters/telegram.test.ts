import { describe, expect, it } from 'vitest';
import { crc16, decodeTelegram, obisNumber } from '../../../connectors/meters/profile/telegram.ts';

const body = (...lines: string[]) => ['/KFM5KAIFA-METER', '', ...lines, '!'].join('\r\n');
const signed = (text: string) =>
  `${text}${crc16(Buffer.from(text, 'latin1')).toString(16).toUpperCase().padStart(4, '0')}\r\n`;
const POWER = '1-0:1.7.0(02.027*kW)';

describe('telegrams and their checksum', () => {
  it('one that states its version must have one', () => {
    expect(() => decodeTelegram(body('1-3:0.2.8(42)', POWER))).toThrow(/no checksum/);
    expect(() => decodeTelegram(body('0-0:96.1.4(50217)', POWER))).toThrow(/no checksum/);
    expect(() => decodeTelegram(`${body('1-3:0.2.8(42)', POWER)}67 rest`)).toThrow(/damaged/);
    expect(obisNumber(decodeTelegram(signed(body('1-3:0.2.8(42)', POWER))), '1-0:1.7.0', 'W')).toBe(2027);
  });
  it('those before DSMR 4 have none', () =>
    expect(obisNumber(decodeTelegram(body(POWER)), '1-0:1.7.0', 'kW')).toBe(2.027));
  it('several in one message, or one code twice, are refused', () => {
    expect(() => decodeTelegram(body(POWER) + body(POWER))).toThrow(/more than one P1 telegram/);
    expect(() => decodeTelegram(body(POWER, '1-0:1.7.0(00.001*kW)'))).toThrow(/1-0:1.7.0 twice/);
    expect(() => decodeTelegram(body(POWER, POWER))).not.toThrow();
  });
});

describe('units of a telegram', () => {
  it('are believed, not those of the profile', () => {
    const telegram = decodeTelegram(body('1-0:1.7.0(000000286*W)', '1-0:1.8.0*255(006545766*Wh)'));
    expect(obisNumber(telegram, '1-0:1.7.0', 'kW')).toBe(0.286);
    expect(obisNumber(telegram, '1-0:1.8.0', 'kWh')).toBe(6545.766);
  });
  it('of another kind are refused', () =>
    expect(() => obisNumber(decodeTelegram(body('1-0:1.7.0(5*A)')), '1-0:1.7.0', 'kW')).toThrow(
      'it comes in A, not in kW',
    ));
});

describe('gas', () => {
  it('of DSMR 2.2 and 3 stands on a line of its own', () => {
    const text = body('0-2:24.1.0(3)', '0-2:24.3.0(161107190000)(00)(60)(1)(0-2:24.2.1)(m3)', '(00123.456)');
    expect(obisNumber(decodeTelegram(text), '0-n:24.2.1', 'm³', 3)).toBe(123.456);
  });
  it('is found by its device type on any M-Bus channel', () => {
    const text = body(
      '0-1:24.1.0(007)',
      '0-1:24.2.1(200512134558S)(00872.234*m3)',
      '0-5:24.1.0(003)',
      '0-5:24.2.3(200512134558S)(00112.384*m3)',
    );
    expect(obisNumber(decodeTelegram(text), '0-n:24.2.3', 'm³', 3)).toBe(112.384);
    expect(obisNumber(decodeTelegram(text), '0-n:24.2.1', 'm³', 7)).toBe(872.234);
    expect(obisNumber(decodeTelegram(text), '0-n:24.2.1', 'm³', 3)).toBeUndefined();
  });
});
