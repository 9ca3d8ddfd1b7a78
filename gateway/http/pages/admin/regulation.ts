/** `/admin/regulation`: the language model, how good finding and answering are, and the glossary. */
import { type Context, Hono } from 'hono';
import { EMPTY_FORM, type FormState } from '../../../../web/components/controls.ts';
import { NOTHING_TOLD, type Told } from '../../../../web/pages/admin/frame.ts';
import { type EvalRun, type ModelRow, regulationAdminPage } from '../../../../web/pages/admin/regulation.ts';
import type { Ui } from '../../../../web/ui.ts';
import type { EvalResult } from '../../../services/answers/evaluate.ts';
import type { ModelView } from '../../../services/answers/model-watch.ts';
import type { Env } from '../../api.ts';
import { refusable, sentence } from '../form.ts';
import { csrfChecked, type PageDeps, readerOf, sendPage, signedIn, uiOf } from '../page.ts';

const RUNS = 90;

export function createRegulationAdminPages(deps: PageDeps) {
  const { answers, log } = deps.services;
  const app = new Hono<Env>();
  const admin = signedIn(deps, 'admin');
  const measuring = new Set<string>();

  const show = async (c: Context<Env>, add: FormState, told: Told, status: 200 | 400 = 200) => {
    const [{ tenant }, ui] = [readerOf(c), uiOf(deps, c)];
    const [evaluations, model] = await Promise.all([answers.evaluations(tenant, RUNS), answers.model()]);
    const running = measuring.has(tenant) ? (['answers'] as const) : [];
    const runs = answerRuns(evaluations, ui);
    const view = { model: model && modelRow(model), runs, running, measurable: ['answers'] as const, add, told };
    return sendPage(c, regulationAdminPage({ ...view, glossary: null }, ui), status);
  };

  app.get('/admin/regulation', admin, (c) =>
    show(c, EMPTY_FORM, { ...NOTHING_TOLD, saved: c.req.query('saved') !== undefined }),
  );
  app.post('/admin/regulation/measure', admin, csrfChecked(deps), (c) => {
    const { tenant } = readerOf(c);
    if (!measuring.has(tenant)) {
      measuring.add(tenant);
      // Takes minutes; the page looks again until it is done.
      void answers
        .evaluate(tenant)
        .catch((error: unknown) => log.warn({ err: error, tenant_id: tenant }, 'answers could not be measured'))
        .finally(() => measuring.delete(tenant));
    }
    return c.redirect('/admin/regulation', 303);
  });
  app.post('/admin/regulation/model', admin, csrfChecked(deps), async (c) => {
    const outcome = await refusable(() => answers.pullModel(readerOf(c)));
    if ('refused' in outcome) return show(c, EMPTY_FORM, { saved: false, problem: sentence(outcome.refused) }, 400);
    return c.redirect('/admin/regulation', 303);
  });
  return app;
}

function modelRow({ name, state, reason, pulling }: ModelView): ModelRow {
  return { name, state, reason, pulling: pulling?.running ? pulling : null, fault: pulling?.fault ?? null };
}

/** Points that the share of right answers may fall between two nights without a word. */
const WORSE_PCT = 5;

function answerRuns(results: readonly EvalResult[], { t }: Ui): EvalRun[] {
  return results.map((result, i) => {
    const before = results
      .slice(i + 1)
      .find(
        ({ model_version, question_set }) =>
          model_version === result.model_version && question_set === result.question_set,
      );
    const fell = (before?.right_pct ?? 0) - (result.right_pct ?? 0);
    return {
      ...{ id: String(result.id), kind: 'answers', at_ms: result.at.getTime(), questions: result.questions },
      set: t(`eval.set_${result.question_set}`),
      version: result.model_version === 'extractive' ? t('eval.quotes') : result.model_version,
      figures: figuresOf(result),
      dropped: before !== undefined && result.right_pct !== null && fell >= WORSE_PCT,
    };
  });
}

function figuresOf(result: EvalResult): EvalRun['figures'] {
  const share = (name: string, pct: number | null, more_is_better: boolean | null, bound: number | null) =>
    pct === null ? [] : [{ name, value: pct / 100, kind: 'share' as const, more_is_better, bound }];
  return [
    ...share('answered_correct', result.right_pct, true, 0.85),
    ...share('grounding', result.grounding_pct, true, 0.9),
    ...share('unsupported', result.unsupported_pct, false, 0.01),
    ...share('abstain_rate', result.abstained_pct, null, null),
    { name: 'p95_ms', value: result.p95_ms, kind: 'ms', more_is_better: null, bound: null },
  ];
}
