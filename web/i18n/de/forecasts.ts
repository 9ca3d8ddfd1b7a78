import type { forecastTexts as english } from '../en/forecasts.ts';

export const forecastTexts = {} as const satisfies Record<keyof typeof english, string>;
