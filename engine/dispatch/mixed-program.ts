/** A stage program with yes-or-no decisions and the rows that tie them to its columns: the input of branch and bound. */
import type { StageProgram } from './stage-program.ts';

export type MixedRow = { lower: number; upper: number; columns: number[]; coefs: number[] };

export type MixedProgram = {
  base: StageProgram;
  /** Binary columns; they have the numbers base.columns, base.columns + 1, … in the rows. */
  binaries: number;
  rows: MixedRow[];
};

export type MixedLimits = {
  /** Relative gap at which the search stops. */
  gap: number;
  /** Difference to the bound at which it stops as well; 1e-7 by default. */
  absolute_gap?: number;
  /** Branch-and-bound nodes: a limit in nodes, not seconds, so that the same input gives the same plan. */
  nodes: number;
  /** Without presolve and heuristics: faster where the relaxation is all but whole, and may end without a plan. */
  direct?: boolean;
};

export type MixedSolution = {
  /** `limit`: a plan was found, but the search stopped before its gap was reached. */
  status: 'optimal' | 'limit' | 'infeasible';
  /** Base columns, then binaries; empty where infeasible. */
  x: Float64Array;
  objective: number;
  bound: number;
  nodes: number;
};

export type MixedSolver = (program: MixedProgram, limits: MixedLimits) => MixedSolution;
