/** Cholesky factors of large symmetric positive definite matrices, packed row by row (lower triangle). */

/** Entries of a packed lower triangle of `n` rows; row i begins at i·(i + 1) / 2. */
export const packedLength = (n: number): number => (n * (n + 1)) / 2;

const rowAt = (i: number): number => (i * (i + 1)) / 2;

/** Replaces the lower triangle of a matrix with its Cholesky factor. Rows go in pairs: each number read serves twice. */
export function factorise(a: Float64Array, n: number): void {
  for (let i = 0; i < n; i += 2) {
    const last = i + 1 < n ? i + 1 : i;
    let j = 0;
    for (; j + 4 <= i; j += 4) {
      subtractBlock(a, i, last, j);
      finishColumns(a, i, j);
      if (last !== i) finishColumns(a, last, j);
    }
    for (const row of last === i ? [i] : [i, last]) finishRow(a, row, j);
  }
}

/** a[i][j…j+3] and a[last][j…j+3] less the products of all columns before j. */
function subtractBlock(a: Float64Array, i: number, last: number, j: number): void {
  const [p, q] = [rowAt(i), rowAt(last)];
  const [r0, r1, r2, r3] = [rowAt(j), rowAt(j + 1), rowAt(j + 2), rowAt(j + 3)];
  let p0 = 0;
  let p1 = 0;
  let p2 = 0;
  let p3 = 0;
  let q0 = 0;
  let q1 = 0;
  let q2 = 0;
  let q3 = 0;
  for (let k = 0; k < j; k++) {
    const x = a[p + k]!;
    const y = a[q + k]!;
    const b0 = a[r0 + k]!;
    const b1 = a[r1 + k]!;
    const b2 = a[r2 + k]!;
    const b3 = a[r3 + k]!;
    p0 += x * b0;
    p1 += x * b1;
    p2 += x * b2;
    p3 += x * b3;
    q0 += y * b0;
    q1 += y * b1;
    q2 += y * b2;
    q3 += y * b3;
  }
  a[p + j]! -= p0;
  a[p + j + 1]! -= p1;
  a[p + j + 2]! -= p2;
  a[p + j + 3]! -= p3;
  if (last === i) return;
  a[q + j]! -= q0;
  a[q + j + 1]! -= q1;
  a[q + j + 2]! -= q2;
  a[q + j + 3]! -= q3;
}

/** Columns j to j + 3 of a row, of which the products of the columns before j are taken away already. */
function finishColumns(a: Float64Array, i: number, j: number): void {
  const row = rowAt(i);
  for (let c = j; c < j + 4; c++) {
    const other = rowAt(c);
    let sum = a[row + c]!;
    for (let k = j; k < c; k++) sum -= a[row + k]! * a[other + k]!;
    a[row + c] = sum / a[other + c]!;
  }
}

/** The rest of a row from column `j` on, and its diagonal. */
function finishRow(a: Float64Array, i: number, j: number): void {
  const row = rowAt(i);
  for (let c = j; c <= i; c++) {
    const other = rowAt(c);
    let sum = a[row + c]!;
    for (let k = 0; k < c; k++) sum -= a[row + k]! * a[other + k]!;
    // The floor keeps rows that repeat one another from dividing by zero.
    a[row + c] = c < i ? sum / a[other + c]! : Math.sqrt(Math.max(1e-10, sum));
  }
}

/** Solves (L·Lᵀ)·z = b in place, L packed as `factorise` leaves it. */
export function solveFactored(l: Float64Array, n: number, b: Float64Array): void {
  for (let i = 0; i < n; i++) {
    const row = rowAt(i);
    let sum = b[i]!;
    for (let k = 0; k < i; k++) sum -= l[row + k]! * b[k]!;
    b[i] = sum / l[row + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    const row = rowAt(i);
    const value = b[i]! / l[row + i]!;
    b[i] = value;
    for (let k = 0; k < i; k++) b[k]! -= value * l[row + k]!;
  }
}
