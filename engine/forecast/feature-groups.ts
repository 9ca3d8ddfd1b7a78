/** What a feature is about, so that contributions can be told in words: many features, few reasons. */
import type { Explanation } from './port.ts';

export const FEATURE_GROUPS = [
  'yesterday',
  'last_days',
  'last_week',
  'days_alike',
  'last_hours',
  'level',
  'calendar',
  'season',
  'time_of_day',
  'weather',
  'limits',
  'other',
] as const;
export type FeatureGroup = (typeof FEATURE_GROUPS)[number];

const RULES: readonly [RegExp, FeatureGroup][] = [
  [/^(never below|within the usual)/, 'limits'],
  [/^(temperature|irradiance)\b/, 'weather'],
  [/season/, 'season'],
  [/^(holiday|special|off\b.*|weekday|(Sun|Mon|Tues|Wednes|Thurs|Fri|Satur)day)$/, 'calendar'],
  [/^hour$|^series$/, 'time_of_day'],
  [/now-|last (evening|hour|3 h|24 h)|h2[0-3]$|usual, shifted/, 'last_hours'],
  [/alike|same weekday/, 'days_alike'],
  [/d-(7|14|21|28)\b/, 'last_week'],
  [/d-1\b|yesterday|newest same hour/, 'yesterday'],
  [/d-\d|day before/, 'last_days'],
  [/week|month|level|deviation|envelope|168|usual/, 'level'],
];

export const groupOf = (feature: string): FeatureGroup => RULES.find(([rule]) => rule.test(feature))?.[1] ?? 'other';

export type GroupPart = { group: FeatureGroup; adds: number };

/** Sums per group, largest first; with the base they sum to the forecast. */
export function groupContributions({ contributions }: Explanation): GroupPart[] {
  const sums = new Map<FeatureGroup, number>();
  for (const { feature, adds } of contributions) sums.set(groupOf(feature), (sums.get(groupOf(feature)) ?? 0) + adds);
  return [...sums].map(([group, adds]) => ({ group, adds })).sort((a, b) => Math.abs(b.adds) - Math.abs(a.adds));
}
