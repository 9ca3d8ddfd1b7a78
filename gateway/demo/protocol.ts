/** What the box and the demo's process tell each other: one JSON object a line over stdin and stdout. */
import type { Reading } from '../../engine/model/reading.ts';
import type { Credential } from './mqtt-devices.ts';

export type DemoCommand =
  | { kind: 'open'; seed: number; started_ms: number; modbus_port: number; price_port: number }
  | { kind: 'history'; from_ms: number; to_ms: number }
  | { kind: 'mqtt'; url: string; credentials: readonly Credential[] };

export type DemoReport =
  | { kind: 'ready'; modbus_port: number; price_port: number; urls: Record<string, string> }
  | { kind: 'readings'; readings: Reading[]; done: number; total: number }
  | { kind: 'history-end' }
  | { kind: 'publishing' }
  | { kind: 'failed'; text: string };

/** Market area of the demo's prices. */
export const DEMO_AREA = 'DE-LU';
