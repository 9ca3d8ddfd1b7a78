/** Student's t by Wallace's closed approximation through the normal distribution (Biometrika 1959; error below 0.005). */

/** Φ(z), the normal distribution function (Abramowitz, Stegun 7.1.26: error below 1.5e-7). */
export function normalCdf(z: number): number {
  const x = Math.abs(z) * Math.SQRT1_2;
  if (x > 6) return z > 0 ? 1 : 0;
  const t = 1 / (1 + 0.3275911 * x);
  const poly = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  const half = 0.5 * poly * Math.exp(-x * x);
  return z > 0 ? 1 - half : half;
}

/** Φ⁻¹(p) by Newton steps on a logistic start; only used to prepare tables. */
export function normalQuantile(p: number): number {
  let z = Math.log(p / (1 - p)) / 1.702;
  for (let step = 0; step < 50; step++) {
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    const move = (normalCdf(z) - p) / density;
    z -= Math.max(-0.5, Math.min(0.5, move));
    if (Math.abs(move) < 1e-9) break;
  }
  return z;
}

/** The z with Φ(z) ≈ P(T ≤ t) for `dof` degrees of freedom. */
export function normalOf(t: number, dof: number): number {
  const size = Math.sqrt(dof * Math.log1p((t * t) / dof)) * ((8 * dof + 1) / (8 * dof + 3));
  return t < 0 ? -size : size;
}

/** The inverse of normalOf. */
export function studentOf(z: number, dof: number): number {
  const scaled = (z * (8 * dof + 3)) / (8 * dof + 1);
  const size = Math.sqrt(dof * Math.expm1((scaled * scaled) / dof));
  return z < 0 ? -size : size;
}
