/** Cholesky factor and inverse of symmetric positive definite matrices, row by row in typed arrays. */
import { InvalidDataError } from '../../engine/errors.ts';

/**
 * Lower triangle L with L Lᵀ = `matrix` (d × d; only its lower triangle is read).
 * @throws InvalidDataError where the matrix is not positive definite.
 */
function factorise(matrix: Float64Array, d: number): Float64Array {
  const lower = new Float64Array(d * d);
  for (let i = 0; i < d; i++)
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * d + j]!;
      for (let k = 0; k < j; k++) sum -= lower[i * d + k]! * lower[j * d + k]!;
      if (i !== j) lower[i * d + j] = sum / lower[j * d + j]!;
      else if (sum > 0) lower[i * d + i] = Math.sqrt(sum);
      else throw notDefinite();
    }
  return lower;
}

/** The inverse of a symmetric positive definite matrix, exactly symmetric. */
export function inverseOf(matrix: Float64Array, d: number): Float64Array {
  const half = invertLower(factorise(matrix, d), d);
  const inverse = new Float64Array(d * d);
  // A⁻¹ = L⁻ᵀ L⁻¹
  for (let k = 0; k < d; k++)
    for (let i = 0; i <= k; i++) {
      const factor = half[k * d + i]!;
      for (let j = 0; j <= i; j++) inverse[i * d + j]! += factor * half[k * d + j]!;
    }
  for (let i = 0; i < d; i++) for (let j = 0; j < i; j++) inverse[j * d + i] = inverse[i * d + j]!;
  return inverse;
}

function invertLower(lower: Float64Array, d: number): Float64Array {
  const inverse = new Float64Array(d * d);
  for (let j = 0; j < d; j++) {
    inverse[j * d + j] = 1 / lower[j * d + j]!;
    for (let i = j + 1; i < d; i++) {
      let sum = 0;
      for (let k = j; k < i; k++) sum -= lower[i * d + k]! * inverse[k * d + j]!;
      inverse[i * d + j] = sum / lower[i * d + i]!;
    }
  }
  return inverse;
}

function notDefinite(): InvalidDataError {
  return new InvalidDataError(
    'A learnt model lost its numerical balance: its matrix is no longer positive definite.',
    'Restore the policy from its last snapshot, or start it anew from the log of decisions.',
  );
}
