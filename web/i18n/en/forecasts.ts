export const forecastTexts = {} as const;
