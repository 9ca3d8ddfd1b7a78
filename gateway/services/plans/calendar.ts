/** A plan as a calendar: one event for each stretch in which a device charges, discharges or runs (RFC 5545). */
import type { PlanBody, PlannedDevice } from './stored.ts';

type Options = { language: 'en' | 'de'; name: string; now_ms: number };

const WORDS = {
  en: { charges: 'charges', discharges: 'discharges', runs: 'runs', mean: 'on average' },
  de: { charges: 'lädt', discharges: 'entlädt', runs: 'läuft', mean: 'im Mittel' },
} as const;
const RUNS_W = 50;

export function planCalendar(plan: PlanBody, { language, name, now_ms }: Options): string {
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Luna iEMS//plan//EN',
    'CALSCALE:GREGORIAN',
    `X-WR-CALNAME:${escaped(`Luna: ${name}`)}`,
    ...plan.devices.flatMap((device) =>
      stretches(device).flatMap((one) => eventOf(plan, device, one, language, now_ms)),
    ),
    'END:VCALENDAR',
  ];
  return `${lines.map(folded).join('\r\n')}\r\n`;
}

type Stretch = { first: number; end: number; way: 'charges' | 'discharges' | 'runs' };

function stretches({ kind, power_W }: PlannedDevice): Stretch[] {
  const found: Stretch[] = [];
  power_W.forEach((power, t) => {
    if (Math.abs(power) < RUNS_W) return;
    const stores = kind === 'battery' || kind === 'vehicle';
    const way = power > 0 ? 'discharges' : stores ? 'charges' : 'runs';
    const last = found.at(-1);
    if (last?.end === t && last.way === way) last.end = t + 1;
    else found.push({ first: t, end: t + 1, way });
  });
  return found;
}

function eventOf(
  plan: PlanBody,
  device: PlannedDevice,
  { first, end, way }: Stretch,
  language: 'en' | 'de',
  now_ms: number,
) {
  const words = WORDS[language];
  const at = (t: number) => stamp(plan.from_ms + t * plan.slot_min * 60_000);
  const mean_W = device.power_W.slice(first, end).reduce((sum, power) => sum + Math.abs(power), 0) / (end - first);
  const kW = (mean_W / 1000).toLocaleString(language, { maximumFractionDigits: 1 });
  return [
    'BEGIN:VEVENT',
    `UID:${device.id}-${at(first)}@luna`,
    `DTSTAMP:${stamp(now_ms)}`,
    `DTSTART:${at(first)}`,
    `DTEND:${at(end)}`,
    `SUMMARY:${escaped(`${device.name} ${words[way]}: ${kW} kW ${words.mean}`)}`,
    'TRANSP:TRANSPARENT',
    'END:VEVENT',
  ];
}

const stamp = (at_ms: number) => new Date(at_ms).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
const escaped = (text: string) => text.replaceAll(/[\\;,]/g, '\\$&').replaceAll('\n', '\\n');

/** Lines of at most 75 bytes; the rest goes on after a space. */
function folded(line: string): string {
  const parts: string[] = [];
  let part = '';
  for (const letter of line) {
    if (Buffer.byteLength(part + letter) > 74) {
      parts.push(part);
      part = '';
    }
    part += letter;
  }
  return [...parts, part].join('\r\n ');
}
