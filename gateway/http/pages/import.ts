/** `/import`: a file of readings is looked at, mapped, loaded in the background, and reported; for analysts and admins. */
import { rm } from 'node:fs/promises';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { inspectFile } from '../../../connectors/meters/csv/rows.ts';
import { NotFoundError } from '../../../engine/errors.ts';
import { QUANTITIES } from '../../../engine/model/quantity.ts';
import type { FormState } from '../../../web/components/controls.ts';
import { importPage, importPreviewPage, type LoadView, loadPage, loadPart } from '../../../web/pages/import.ts';
import type { Actor, LoadMapping, LoadPreview } from '../../services.ts';
import { receiveForm } from '../api/uploads.ts';
import type { Env } from '../api.ts';
import type { LiveView } from '../stream.ts';
import { fieldsOf, refusable, sentence } from './form.ts';
import { createImportFiles, type Kept } from './import-files.ts';
import { createLoads } from './import-loads.ts';
import { formOf, guessedRoles, mappingOf, missingOf, rolesOf } from './import-mapping.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendPage, signedIn, uiOf } from './page.ts';

/** What a multipart form adds to the file. */
const FORM_BYTES = 64 * 1024;

/** @returns the app and the live view that goes by the name `import`. */
export function createImportPages(deps: PageDeps) {
  const { loads, meters, site, config } = deps.services;
  const files = createImportFiles(config);
  const running = createLoads(deps.services);
  const app = createPageApp();
  const analyst = signedIn(deps, 'analyst');
  const csrf = csrfChecked(deps);

  const show = async (c: Context<Env>, problem: string | null = null) => {
    const earlier = await loads.recent(readerOf(c).tenant);
    const view = { earlier, max_bytes: config.upload_max_bytes, problem };
    return sendPage(c, importPage(view, uiOf(deps, c)), problem === null ? 200 : 400);
  };
  const tooLarge = (c: Context) => {
    const size = Math.round(config.upload_max_bytes / 1024 ** 2);
    return show(c as Context<Env>, uiOf(deps, c as Context<Env>).t('import.too_large', { size }));
  };
  const showPreview = async (
    c: Context<Env>,
    file: Kept,
    preview: LoadPreview,
    asked: { roles: readonly string[]; form: FormState; problems: readonly string[] },
  ) => {
    const { tenant } = readerOf(c);
    const is_json = await isJson(file);
    const view = {
      ...{ file_name: file.name, file: file.sha256, is_json, rows: preview.rows },
      columns: preview.columns.map((name, i) => ({ name, as: asked.roles[i] ?? '' })),
      problems: asked.problems,
      form: asked.form,
      meters: meters.list(tenant).filter((point) => !point.virtual),
      quantities: Object.entries(QUANTITIES).map(([name, { kind, unit }]) => ({ name, kind, unit })),
      zones: zonesFirst(site.get(tenant)?.time_zone ?? 'UTC'),
    };
    return sendPage(c, importPreviewPage(view, uiOf(deps, c)));
  };

  app.get('/import', analyst, (c) => show(c));
  app.post(
    '/import',
    analyst,
    bodyLimit({ maxSize: config.upload_max_bytes + FORM_BYTES, onError: tooLarge }),
    csrf,
    async (c) => {
      const actor = readerOf(c);
      const sent = await refusable(() => receiveForm(c, config.home));
      if ('refused' in sent) return show(c, sentence(sent.refused));
      const { file, discard } = sent.done;
      try {
        if (file.size === 0) return show(c, uiOf(deps, c).t('import.no_file'));
        const looked = await refusable(() => loads.preview(actor.tenant, { path: file.path }, file.name));
        if ('refused' in looked) return show(c, sentence(looked.refused));
        const query = new URLSearchParams({ file: await files.keep(actor, file.path), name: file.name });
        return c.redirect(`/import/preview?${query.toString()}`, 303);
      } finally {
        await discard();
      }
    },
  );
  app.get('/import/preview', analyst, async (c) => {
    const actor = readerOf(c);
    const kept = await files.find(actor, c.req.query('file'), c.req.query('name'));
    if (!kept) return show(c, uiOf(deps, c).t('import.gone'));
    const preview = await loads.preview(actor.tenant, { path: kept.path }, kept.name);
    const only = meters.list(actor.tenant).filter((point) => !point.virtual);
    const form = formOf(
      preview.mapping,
      site.get(actor.tenant)?.time_zone ?? 'UTC',
      only.length === 1 ? only[0]!.id : '',
    );
    const meter_id = form.values.meter_id;
    const guess = meter_id ? { ...preview.mapping, meter_id } : preview.mapping;
    const problems = (await isJson(kept)) ? preview.problems : missingOf(guess, preview.columns, uiOf(deps, c));
    return showPreview(c, kept, preview, { roles: guessedRoles(preview), form, problems });
  });
  app.post('/import/load', analyst, csrf, async (c) => {
    const actor = readerOf(c);
    const values = await fieldsOf(c);
    const kept = await files.find(actor, values.file, values.file_name);
    if (!kept) return show(c, uiOf(deps, c).t('import.gone'));
    const preview = await loads.preview(actor.tenant, { path: kept.path }, kept.name);
    const json = await isJson(kept);
    const mapping = json ? jsonMapping(preview, values) : mappingOf(preview.columns, values);
    if (mapping.create_meters && actor.role !== 'admin') delete mapping.create_meters;
    const problems = json ? [] : missingOf(mapping, preview.columns, uiOf(deps, c));
    if (problems.length > 0) {
      const roles = rolesOf(preview.columns.length, values);
      return showPreview(c, kept, preview, { roles, form: { values, errors: {} }, problems });
    }
    const held = await files.hold(kept);
    const id = running.start(actor, held, mapping, async () => {
      await rm(held.path, { force: true });
      await files.forget(actor, kept.sha256);
    });
    return c.redirect(`/import/loads/${id}`, 303);
  });
  app.get('/import/loads/:id', analyst, async (c) => {
    const view = await loadOf(readerOf(c), c.req.param('id'));
    if (!view) throw new NotFoundError('There is no such load.');
    return sendPage(c, loadPage(view, uiOf(deps, c)));
  });
  const live: LiveView = {
    fast: async () => ({}),
    slow: async (actor, ui, query) => {
      const view = actor.role === 'user' ? null : await loadOf(actor, query.get('id') ?? '');
      return view ? { load: loadPart(view, ui) } : ({} as Record<string, ReturnType<typeof loadPart>>);
    },
    isSlow: (event) => event.type === 'progress' && event.task.startsWith('load:'),
  };
  return { app, live };

  async function loadOf(actor: Actor, id: string): Promise<LoadView | null> {
    const now = running.of(actor.tenant, id);
    if (now) return now;
    const report = (await loads.recent(actor.tenant)).find((load) => load.id === id);
    if (!report) return null;
    return { id, file_name: report.file_name, state: { ...report, kind: 'done', unchanged: false } };
  }
}

async function isJson({ path }: Kept): Promise<boolean> {
  return (await inspectFile({ path })).format !== 'csv';
}

function jsonMapping(preview: LoadPreview, values: Readonly<Record<string, string>>): LoadMapping {
  return {
    ...preview.mapping,
    ...(values.meter_id ? { meter_id: values.meter_id } : {}),
    ...(values.create_meters === undefined ? {} : { create_meters: true }),
  };
}

function zonesFirst(first: string): string[] {
  return [...new Set([first, 'UTC', ...Intl.supportedValuesOf('timeZone')])];
}
