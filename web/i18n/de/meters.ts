import type { meterTexts as english } from '../en/meters.ts';

export const meterTexts = {
  'meters.failing': 'gestört seit {since}: {text}',
  'meters.never': 'hat noch nichts gesendet',
  'meters.ok': 'liefert',
  'meters.silent': 'stumm seit {since}',
  'meters.part_missing': 'ein Teil davon hat keinen aktuellen Wert',
} as const satisfies Record<keyof typeof english, string>;
