import type { priceTexts as english } from '../en/prices.ts';

export const priceTexts = {} as const satisfies Record<keyof typeof english, string>;
