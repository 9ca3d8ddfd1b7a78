/** `/admin/regulation`: the language model, how good finding and answering are, golden sets and the glossary. */
import { type Context, Hono } from 'hono';
import { EMPTY_FORM, type FormState } from '../../../../web/components/controls.ts';
import { NOTHING_TOLD, type Told } from '../../../../web/pages/admin/frame.ts';
import { type EvalRun, type ModelRow, regulationAdminPage } from '../../../../web/pages/admin/regulation.ts';
import { OWNER } from '../../../owner.ts';
import type { ModelView } from '../../../services/answers/model-watch.ts';
import type { Actor } from '../../../services.ts';
import type { Env } from '../../api.ts';
import { fieldsOf, refusable, sentence } from '../form.ts';
import { csrfChecked, type PageDeps, readerOf, sendPage, signedIn, uiOf } from '../page.ts';
import { answerRuns, findingRuns } from './regulation-rows.ts';
import { mountWords } from './regulation-words.ts';

const RUNS = 90;
const PATH = '/admin/regulation';
const MEASURABLE = ['retrieval', 'answers'] as const;
type Kind = EvalRun['kind'];

export function createRegulationAdminPages(deps: PageDeps) {
  const { answers, retrieval, log } = deps.services;
  const app = new Hono<Env>();
  const admin = signedIn(deps, 'admin');
  const measuring = new Set<string>();
  const keyOf = (tenant: string, kind: Kind) => `${kind} ${tenant}`;

  const show = async (c: Context<Env>, add: FormState, told: Told, status: 200 | 400 = 200) => {
    const [{ tenant }, ui] = [readerOf(c), uiOf(deps, c)];
    const [answered, found, model, sets, glossary] = await Promise.all([
      ...[answers.evaluations(tenant, RUNS), retrieval.evaluations(tenant, null, RUNS)],
      ...[answers.model(), retrieval.goldenSets(tenant), retrieval.glossary(tenant)],
    ] as const);
    const runs = [...answerRuns(answered, ui), ...findingRuns(found)].sort((a, b) => b.at_ms - a.at_ms);
    const golden = sets.map(({ name, questions, changed_by }) => ({ name, questions: questions.length, changed_by }));
    const running = MEASURABLE.filter((kind) => measuring.has(keyOf(tenant, kind)));
    const measurable = MEASURABLE.filter((kind) => kind === 'answers' || golden.length > 0);
    const view = {
      model: model && modelRow(model, tenant === OWNER),
      runs,
      running,
      measurable,
      golden,
      glossary,
      add,
      told,
    };
    return sendPage(c, regulationAdminPage(view, ui), status);
  };
  const refuse = (c: Context<Env>, values: Record<string, string>, problem: string) =>
    show(c, { values, errors: {} }, { saved: false, problem }, 400);

  async function measure({ tenant }: Actor, kind: Kind): Promise<void> {
    if (kind === 'answers') await answers.evaluate(tenant);
    else for (const { name } of await retrieval.goldenSets(tenant)) await retrieval.evaluate(tenant, name);
  }

  app.get(PATH, admin, (c) => show(c, EMPTY_FORM, { ...NOTHING_TOLD, saved: c.req.query('saved') !== undefined }));
  app.post(`${PATH}/measure`, admin, csrfChecked(deps), async (c) => {
    const actor = readerOf(c);
    const kind = (await fieldsOf(c)).kind === 'retrieval' ? 'retrieval' : 'answers';
    const key = keyOf(actor.tenant, kind);
    if (!measuring.has(key)) {
      measuring.add(key);
      // Takes minutes; the page looks again until it is done.
      void measure(actor, kind)
        .catch((error: unknown) => log.warn({ err: error, tenant_id: actor.tenant, kind }, 'could not be measured'))
        .finally(() => measuring.delete(key));
    }
    return c.redirect(PATH, 303);
  });
  app.post(`${PATH}/model`, admin, csrfChecked(deps), async (c) => {
    const outcome = await refusable(() => answers.pullModel(readerOf(c)));
    return 'refused' in outcome ? refuse(c, {}, sentence(outcome.refused)) : c.redirect(PATH, 303);
  });
  mountWords(app, deps, { show, refuse });
  return app;
}

function modelRow({ name, state, reason, pulling }: ModelView, can_pull: boolean): ModelRow {
  return { name, state, reason, can_pull, pulling: pulling?.running ? pulling : null, fault: pulling?.fault ?? null };
}
