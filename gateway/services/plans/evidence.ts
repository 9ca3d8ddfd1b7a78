/** What was asked under §14a EnWG and what was drawn, minute by minute, as a table for the grid operator (RFC 4180). */
import { csvTable } from '../../csv.ts';
import type { GridSignal, SignalDraw } from '../grid-signals.ts';

const HEAD = [
  ...['signal', 'source', 'received_at', 'from', 'to', 'asked_W', 'minimum_W', 'limit_W', 'obeyed_at', 'ended_at'],
  ...['at', 'drawn_W', 'within_limit', 'devices'],
];
/** Rounding of meters is no breach. */
const SPARE_W = 1;

/** One row a measurement; a signal without one has a row of its own. */
export function signalsCsv(signals: readonly GridSignal[], draws: readonly (readonly SignalDraw[])[]): string {
  const iso = (at_ms: number | null) => (at_ms === null ? '' : new Date(at_ms).toISOString());
  const rows = signals.flatMap((signal, i) => {
    const { id, source, received_ms, from_ms, to_ms, asked_W, minimum_W, limit_W, obeyed_ms, ended_ms } = signal;
    const head = [
      ...[id, source, iso(received_ms), iso(from_ms), iso(to_ms), String(asked_W), String(minimum_W), String(limit_W)],
      ...[iso(obeyed_ms), iso(ended_ms)],
    ];
    const measured = draws[i] ?? [];
    if (measured.length === 0) return [[...head, '', '', '', signal.devices.join(' ')]];
    return measured.map(({ at_ms, drawn_W, detail }) => [
      ...head,
      ...[iso(at_ms), drawn_W === null ? '' : String(Math.round(drawn_W))],
      drawn_W === null ? '' : drawn_W <= limit_W + SPARE_W ? 'yes' : 'no',
      Object.entries(detail)
        .map(([device, power_W]) => `${device}=${power_W === null ? 'not measured' : Math.round(power_W)}`)
        .join(' '),
    ]);
  });
  return csvTable([HEAD, ...rows]);
}
