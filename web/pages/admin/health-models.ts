/** Admin, health: which models of Ollama there are, and how far those are that are being fetched. */
import { html } from 'hono/html';
import { card, type State, stateMark } from '../../components/parts.ts';
import type { Html, Ui } from '../../ui.ts';

export type ModelRowView = {
  name: string;
  use: 'language' | 'embedding';
  state: 'loaded' | 'ready' | 'fetching' | 'missing' | 'unreachable';
  /** In memory. */
  bytes: number | null;
  progress: { status: string; done_bytes: number | null; total_bytes: number | null } | null;
  reason: string | null;
};

const MARKS: Record<ModelRowView['state'], State> = {
  ...{ loaded: 'ok', ready: 'ok', fetching: 'unknown', missing: 'warning', unreachable: 'warning' },
};

export function modelsCard(models: readonly ModelRowView[], ui: Ui): Html {
  const { t } = ui;
  const content =
    models.length === 0
      ? html`<p class="soft">${t('health.models_none')}</p>`
      : html`<ul class="rows">${models.map((model) => modelRow(model, ui))}</ul>`;
  return card({ title: t('health.models'), size: 'half', content });
}

function modelRow({ name, use, state, bytes, progress, reason }: ModelRowView, ui: Ui): Html {
  const { t, format } = ui;
  const gigabytes = (n: number) => `${format.number(n / 1e9, 1)}\u00a0GB`;
  const { done_bytes, total_bytes } = progress ?? {};
  const share = done_bytes && total_bytes ? Math.min(1, done_bytes / total_bytes) : null;
  const far =
    share === null || !total_bytes
      ? ''
      : html`<progress max="1" value="${share.toFixed(3)}" aria-label="${name}"></progress> ${format.number(100 * share)}\u00a0% / ${gigabytes(total_bytes)}`;
  const words = [t(`health.model_${use}`), bytes === null ? '' : gigabytes(bytes), reason ?? ''].filter(Boolean);
  return html`<li><div class="stack tight">${stateMark(MARKS[state], name)}<span class="small">${t(`health.model_${state}`)}</span></div><span class="soft">${words.join(' · ')} ${far}</span></li>`;
}
