/** Takes runs from step to step; each result is on disk before the next step begins. */

import { type Memory, nextStep, withChoice } from '../../../engine/rag/graph.ts';
import type { Base } from '../../services.ts';
import { traced } from '../../tracing.ts';
import type { Answer, AnswerEvent, AnswerStatus } from './answer.ts';
import { answerOf } from './finished.ts';
import { STEPS, type StepDeps, type StepRun } from './steps.ts';
import { keepStep, questionBefore, type Run, setState } from './store.ts';

/** Why a run is left, where nobody stopped it. */
export const BOX_STOPS = 'the box stops';

export type RunOptions = {
  interactive: boolean;
  signal: AbortSignal;
  tell: (event: AnswerEvent) => void;
  /** Nothing is kept: for evaluations. */
  unkept?: boolean;
};
export type Runner = {
  /** Until it is answered, asks a person, is paused, or is stopped. Never rejects: faults are outcomes. */
  advance(tenant: string, run: Run, options: RunOptions): Promise<Answer>;
};
type RunnerDeps = StepDeps & Pick<Base, 'db' | 'clock' | 'log'>;

export function createRunner(deps: RunnerDeps): Runner {
  const { db, clock, log } = deps;

  async function step(tenant: string, run: Run, options: RunOptions): Promise<Run> {
    const name = nextStep(run.memory);
    if (name === null || name === 'ask') return run;
    options.signal.throwIfAborted();
    const begun_ms = clock.now();
    const since = performance.now();
    options.tell({ event: 'step', data: { name, state: 'begun', ms: 0 } });
    const work: StepRun = {
      ...{ id: run.id, person: run.person, question: run.question, language: run.language, memory: run.memory },
      ...{ tenant, interactive: options.interactive, tell: options.tell, signal: options.signal },
      before: async () => (options.unkept ? null : db.asTenant(tenant, (sql) => questionBefore(sql, run))),
    };
    const result: Memory = await traced(`answer.${name}`, {}, () => STEPS[name](deps, work));
    const ms = performance.now() - since;
    const memory = { ...run.memory, ...result };
    const state = options.unkept
      ? run.state
      : await db.asTenant(tenant, (sql) =>
          keepStep(sql, tenant, { id: run.id, memory }, { name, result, begun_ms, ms }),
        );
    options.tell({ event: 'step', data: { name, state: 'done', ms: Math.round(ms) } });
    return { ...run, memory, state };
  }

  async function end(tenant: string, run: Run, status: AnswerStatus, options: RunOptions): Promise<Answer> {
    const answer = await answerOf(deps, tenant, run, status);
    const state = status === 'answered' || status === 'abstained' ? 'done' : status;
    if (!options.unkept) await db.asTenant(tenant, (sql) => setState(sql, run.id, state, clock.now(), { answer }));
    return answer;
  }

  return {
    async advance(tenant, begun, options) {
      let run = begun;
      try {
        for (;;) {
          const next = nextStep(run.memory);
          if (next === 'ask') return await end(tenant, run, 'asking', options);
          if (next === null) return await end(tenant, run, run.memory.status ?? 'abstained', options);
          run = await step(tenant, run, options);
          // Somebody paused or stopped it meanwhile: what was found out so far is kept.
          if (run.state !== 'running') return await answerOf(deps, tenant, run, 'stopped');
        }
      } catch (error) {
        // A box that stops leaves it under way: the next start takes it up.
        if (options.signal.reason === BOX_STOPS) return answerOf(deps, tenant, run, 'stopped');
        if (options.signal.aborted) return end(tenant, run, 'stopped', options);
        log.error({ err: error, tenant_id: tenant, run: run.id }, 'an answer failed');
        return end(tenant, run, 'failed', options);
      }
    },
  };
}

/** A run that waited for a person, with what the person chose. */
export function chosen(run: Run, choice: string): Run {
  return { ...run, state: 'running', memory: withChoice(run.memory, choice) };
}
