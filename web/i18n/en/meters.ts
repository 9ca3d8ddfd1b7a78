export const meterTexts = {
  'meters.failing': 'failing since {since}: {text}',
  'meters.never': 'has not sent anything yet',
  'meters.ok': 'live',
  'meters.silent': 'silent since {since}',
  'meters.part_missing': 'a part of it has no current value',
} as const;
