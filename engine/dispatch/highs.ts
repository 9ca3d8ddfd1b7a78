/** HiGHS (WebAssembly) for what needs branch and bound, and to check the own solver against. Run it in a worker. */
import highsModule, { type Highs, type ModelData } from 'highs';
import { UnavailableError } from '../errors.ts';
import type { LinearSolution } from './interior-point.ts';
import type { MixedLimits, MixedProgram, MixedSolution, MixedSolver } from './mixed-program.ts';
import type { StageProgram } from './stage-program.ts';

/** Its types describe the CommonJS build; the module that is loaded exports the function itself. */
const loadHighs = highsModule as unknown as typeof highsModule.default;

export type HighsSolver = {
  version: string;
  /** Solves a linear program by HiGHS' own choice of method. */
  linear(program: StageProgram): Pick<LinearSolution, 'status' | 'x' | 'objective'>;
  mixed: MixedSolver;
};

/** Loads the solver once; its calls are synchronous after that. */
export async function openHighs(): Promise<HighsSolver> {
  const highs = await loadHighs();
  return {
    version: highs.version.string,
    linear: (program) => solveLinear(highs, program),
    mixed: (program, limits) => solveMixed(highs, program, limits),
  };
}

function modelOf(program: StageProgram): ModelData {
  const { columns, rhs } = program;
  return {
    numCols: columns,
    numRows: rhs.length,
    colCost: program.cost,
    colLower: program.lower,
    colUpper: program.upper,
    rowLower: rhs,
    rowUpper: rhs,
    matrix: {
      format: 'csc',
      numCols: columns,
      numRows: rhs.length,
      starts: program.start,
      indices: program.row,
      values: program.coef,
    },
  };
}

function solveLinear(highs: Highs, program: StageProgram): Pick<LinearSolution, 'status' | 'x' | 'objective'> {
  return highs.withModel(modelOf(program), (model) => {
    model.options.set({ output_flag: false, random_seed: 0 });
    model.run();
    const optimal = model.getModelStatus() === highs.constants.modelStatus.optimal;
    if (!optimal) throw new UnavailableError(`The linear program ended with HiGHS status ${model.getModelStatus()}.`);
    return { status: 'optimal' as const, x: model.getSolution().colValue, objective: model.getObjectiveValue() };
  });
}

const DIRECT = {
  presolve: 'off',
  mip_heuristic_run_root_reduced_cost: false,
  mip_heuristic_run_rins: false,
  mip_heuristic_run_rens: false,
  mip_heuristic_run_feasibility_jump: false,
} as const;

function solveMixed(highs: Highs, { base, binaries, rows }: MixedProgram, limits: MixedLimits): MixedSolution {
  const columns = base.columns + binaries;
  const all = rows.length + base.rhs.length;
  const padded = (values: Float64Array, rest: number) => {
    const longer = new Float64Array(columns).fill(rest);
    longer.set(values);
    return longer;
  };
  const bounds = (side: 'lower' | 'upper') => Float64Array.from([...base.rhs, ...rows.map((row) => row[side])]);
  const integrality = new Int32Array(columns).fill(1, base.columns);
  const data: ModelData = {
    ...modelOf(base),
    numCols: columns,
    numRows: all,
    colCost: padded(base.cost, 0),
    colLower: padded(base.lower, 0),
    colUpper: padded(base.upper, 1),
    rowLower: bounds('lower'),
    rowUpper: bounds('upper'),
    matrix: { format: 'csc', numCols: columns, numRows: all, ...joined(base, binaries, rows) },
    integrality,
  };
  return highs.withModel(data, (model) => {
    model.options.set({
      output_flag: false,
      random_seed: 0,
      mip_rel_gap: limits.gap,
      mip_abs_gap: limits.absolute_gap ?? 1e-7,
      mip_max_nodes: limits.nodes,
      mip_feasibility_tolerance: 1e-7,
      primal_feasibility_tolerance: 1e-8,
      ...(limits.direct ? DIRECT : {}),
    });
    model.run();
    const { modelStatus } = highs.constants;
    const status = model.getModelStatus();
    const primal = model.info.get('primal_solution_status') === 2;
    if (!primal)
      return { status: 'infeasible' as const, x: new Float64Array(0), objective: Infinity, bound: -Infinity, nodes: 0 };
    return {
      status: status === modelStatus.optimal ? ('optimal' as const) : ('limit' as const),
      x: model.getSolution().colValue,
      objective: model.getObjectiveValue(),
      bound: Number(model.info.get('mip_dual_bound')),
      nodes: Number(model.info.get('mip_node_count')),
    };
  });
}

/** The base's columns with the extra rows' entries after their own, then the binaries. */
function joined(base: StageProgram, binaries: number, rows: MixedProgram['rows']) {
  const extra: [number, number][][] = Array.from({ length: base.columns + binaries }, () => []);
  rows.forEach(({ columns, coefs }, r) => {
    columns.forEach((column, k) => {
      extra[column]!.push([base.rhs.length + r, coefs[k]!]);
    });
  });
  const [starts, indices, values] = [new Int32Array(base.columns + binaries + 1), [] as number[], [] as number[]];
  for (let j = 0; j < extra.length; j++) {
    if (j < base.columns)
      for (let k = base.start[j]!; k < base.start[j + 1]!; k++) {
        indices.push(base.row[k]!);
        values.push(base.coef[k]!);
      }
    for (const [row, coef] of extra[j]!) {
      indices.push(row);
      values.push(coef);
    }
    starts[j + 1] = indices.length;
  }
  return { starts, indices: Int32Array.from(indices), values: Float64Array.from(values) };
}
