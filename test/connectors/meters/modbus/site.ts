/** A Modbus TCP gateway on loopback with known devices behind it, for searches: registers by unit, and what they call themselves. */
import { type Frame, type NastyServer, openNastyServer, type Request, tcpFrame } from './nasty-server.ts';

export type FakeUnit = {
  /** By `function:address`; anything else is refused. */
  registers: Readonly<Record<string, number>>;
  /** Answer to function 43/14. */
  name?: { vendor: string; product: string; version: string };
};

export function openFakeGateway(units: Readonly<Record<number, FakeUnit>>): Promise<NastyServer> {
  return openNastyServer((request): Frame | 'silent' => {
    const unit = units[request.unit];
    if (!unit) return 'silent';
    if (request.code === 0x2b) return unit.name ? { raw: identification(request, unit.name) } : { exception: 1 };
    const words = Array.from(
      { length: request.count },
      (_, i) => unit.registers[`${request.code}:${request.address + i}`],
    );
    return words.every((word) => word !== undefined) ? { words } : { exception: 2 };
  });
}

function identification(request: Request, { vendor, product, version }: NonNullable<FakeUnit['name']>): Buffer {
  const objects = [vendor, product, version].map((text, i) => Buffer.from([i, text.length, ...Buffer.from(text)]));
  const pdu = Buffer.concat([Buffer.from([0x2b, 0x0e, 1, 1, 0, 0, 3]), ...objects]);
  const frame = tcpFrame(request, { words: [] });
  frame.writeUInt16BE(1 + pdu.length, 4);
  return Buffer.concat([frame.subarray(0, 7), pdu]);
}

/** Words of a text at `address`, padded with zeros to `length` registers. */
export function textAt(code: number, address: number, length: number, text: string): Record<string, number> {
  const bytes = Buffer.alloc(2 * length);
  bytes.write(text, 'latin1');
  return Object.fromEntries(
    Array.from({ length }, (_, i) => [`${code}:${address + i}`, bytes.readUInt16BE(2 * i)] as const),
  );
}

/** A SunSpec device: common model and one other at 40000. */
export function sunspec(vendor: string, product: string, serial: string, model: number): FakeUnit {
  const registers: Record<string, number> = {};
  for (let at = 40000; at < 40200; at++) registers[`3:${at}`] = 0;
  Object.assign(registers, { '3:40000': 0x5375, '3:40001': 0x6e53, '3:40002': 1, '3:40003': 66 });
  Object.assign(registers, textAt(3, 40004, 16, vendor), textAt(3, 40020, 16, product));
  Object.assign(registers, textAt(3, 40044, 8, '1.2.3'), textAt(3, 40052, 16, serial));
  Object.assign(registers, { '3:40070': model, '3:40071': 50, '3:40122': 0xffff });
  return { registers };
}
