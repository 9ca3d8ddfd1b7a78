/** Prices: when is it cheap. */

/** A named stretch of time with its mean price per kWh. */
export type PriceWindow = { from_ms: number; to_ms: number; mean: number };
