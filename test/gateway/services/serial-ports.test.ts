import { expect, it } from 'vitest';
import { parseConnection } from '../../../gateway/services/devices/connection.ts';
import { profiles } from './device-rig.ts';

const profile = profiles.get('eastron-sdm630');
const on = (path: string) => parseConnection({ kind: 'modbus-rtu', path }, profile);

it.each([
  ...[
    '/dev/../etc/passwd',
    '/dev/serial/../../tmp/x',
    '/dev/./ttyS0',
    '/dev//ttyS0',
    '/dev/',
    '/dev/..',
    '/dev/ttyS0/',
  ],
  ...['/etc/passwd', 'COM1/../x', 'dev/ttyS0', '/dev/tty S0', `/dev/${'x'.repeat(200)}`],
])('%s is no serial port', (path) => {
  expect(() => on(path)).toThrow(/connection\.path/);
});

it.each([
  '/dev/ttyUSB0',
  '/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A1.0-if00-port0',
  '/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0',
  'COM3',
])('%s is a serial port', (path) => {
  expect(on(path)).toMatchObject({ kind: 'modbus-rtu', path });
});
