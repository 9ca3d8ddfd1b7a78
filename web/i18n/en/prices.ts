export const priceTexts = {} as const;
