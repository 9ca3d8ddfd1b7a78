/** The flow of power as a picture: where it comes from, where it goes, how much. Lines are as wide as the power. */
import { html } from 'hono/html';
import { iconAt, ROLE_ICONS } from '../components/icon.ts';
import { card } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';
import type { FlowPart, PowerFlow } from './now.ts';

type Node = 'grid' | 'generation' | 'battery' | 'load';
const HUB = { x: 180, y: 128 };
const RADIUS = 27;
/** Where each node stands, and where its words begin. */
const PLACES: Record<Node, { x: number; y: number; text_x: number; text_y: number; anchor: string }> = {
  generation: { x: 180, y: 34, text_x: 218, text_y: 31, anchor: 'start' },
  grid: { x: 46, y: 128, text_x: 46, text_y: 176, anchor: 'middle' },
  load: { x: 314, y: 128, text_x: 314, text_y: 176, anchor: 'middle' },
  battery: { x: 180, y: 222, text_x: 218, text_y: 219, anchor: 'start' },
};
const IDLE_W = 20;

export function flowCard(flow: PowerFlow, ui: Ui): Html {
  const nodes = (['grid', 'generation', 'battery', 'load'] as const).filter((node) => flow[node] !== null);
  const top_W = Math.max(1, ...nodes.map((node) => Math.abs(flow[node]?.power_W ?? 0)));
  const words = nodes.map((node) => `${nameOf(node, ui)}: ${valueText(flow[node], ui)}, ${doing(node, flow, ui)}`);
  const [top, bottom] = [flow.generation ? 0 : 84, flow.battery ? 258 : 200];
  return card({
    title: ui.t('now.flow'),
    content: html`<svg class="flow" viewBox="0 ${top} 360 ${bottom - top}" role="img" aria-label="${words.join('; ')}">
${nodes.map((node) => lineOf(node, flow[node]!, top_W))}
<circle class="hub" cx="${HUB.x}" cy="${HUB.y}" r="5"/>
${nodes.map((node) => nodeOf(node, flow, ui))}
</svg>`,
  });
}

function nameOf(node: Node, ui: Ui): string {
  return ui.t(`role.${node}`);
}

function valueText(part: FlowPart | null, ui: Ui): string {
  if (part === null || part.power_W === null) return ui.t('common.no_value');
  return ui.format.power(Math.abs(part.power_W));
}

/** The tone of a node: import and export of the grid are two meanings. */
function toneOf(node: Node, power_W: number): string {
  if (node === 'grid') return power_W < 0 ? 'export' : 'import';
  return node;
}

/** + towards the hub. */
function inflow(node: Node, power_W: number): number {
  return node === 'load' ? -power_W : power_W;
}

function lineOf(node: Node, part: FlowPart, top_W: number): Html {
  const power_W = part.power_W ?? 0;
  const { x, y } = PLACES[node];
  const [dx, dy] = [Math.sign(HUB.x - x), Math.sign(HUB.y - y)];
  const start = { x: x + dx * RADIUS, y: y + dy * RADIUS };
  const path = `M${start.x} ${start.y}L${HUB.x - dx * 5} ${HUB.y - dy * 5}`;
  if (part.power_W === null || Math.abs(power_W) < IDLE_W) return html`<path class="flow-idle" d="${path}"/>`;
  const width = Number((2.5 + (Math.abs(power_W) / top_W) * 9).toFixed(1));
  const isInward = inflow(node, power_W) > 0;
  const middle = { x: (start.x + HUB.x) / 2, y: (start.y + HUB.y) / 2 };
  const angle = (Math.atan2(dy, dx) * 180) / Math.PI + (isInward ? 0 : 180);
  return html`<g class="t-${toneOf(node, power_W)}"><path class="flow-line" d="${path}" stroke-width="${width}"/>
<path class="flow-arrow" transform="translate(${middle.x} ${middle.y}) rotate(${angle})" d="M-6 -${width / 2 + 5}L9 0L-6 ${width / 2 + 5}Z"/></g>`;
}

function nodeOf(node: Node, flow: PowerFlow, ui: Ui): Html {
  const place = PLACES[node];
  const part = flow[node]!;
  const tone = toneOf(node, part.power_W ?? 0);
  return html`<g class="t-${tone}"><circle class="flow-node ${part.power_W === null ? 'stale' : ''}" cx="${place.x}" cy="${place.y}" r="${RADIUS}"/>
${iconAt(ROLE_ICONS[node], place.x - 12, place.y - 12, 24)}
<text class="flow-value" x="${place.text_x}" y="${place.text_y}" text-anchor="${place.anchor}">${valueText(part, ui)}</text>
<text class="flow-words" x="${place.text_x}" y="${place.text_y + 16}" text-anchor="${place.anchor}">${doing(node, flow, ui)}</text></g>`;
}

function doing(node: Node, flow: PowerFlow, ui: Ui): string {
  const part = flow[node]!;
  const { t } = ui;
  if (part.power_W === null)
    return part.stale_since_ms === null
      ? nameOf(node, ui)
      : t('now.stale_since', { time: ui.format.when(part.stale_since_ms, ui.now_ms) });
  if (node === 'load') return t('now.used');
  if (node === 'generation') return t('now.generated');
  const isIdle = Math.abs(part.power_W) < IDLE_W;
  if (node === 'grid') return part.power_W < 0 ? t('now.into_grid') : t('now.from_grid');
  const state = isIdle ? t('now.idle') : part.power_W > 0 ? t('now.discharging') : t('now.charging');
  if (flow.soc_percent === null) return state;
  return `${state}, ${t('now.soc', { percent: ui.format.percent(flow.soc_percent / 100) })}`;
}
