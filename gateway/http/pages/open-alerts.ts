/** What is open and unseen, for the line on Now: asked once for all who look, and anew when an alert changes. */
import type { OpenAlerts } from '../../../web/pages/now.ts';
import type { Ui } from '../../../web/ui.ts';
import { alertWords } from '../../alert-words.ts';
import type { Services } from '../../services.ts';

const FRESH_MS = 15_000;
const MOST = 1000;
const RANK = { info: 0, warning: 1, fault: 2 } as const;

export function createOpenAlerts(services: Services): (tenant: string, ui: Ui) => Promise<OpenAlerts | null> {
  const kept = new Map<string, { at_ms: number; value: Promise<OpenAlerts | null> }>();
  services.bus.subscribe((event) => {
    if (event.type !== 'alert') return;
    for (const language of ['en', 'de']) kept.delete(`${event.tenant} ${language}`);
  });
  return (tenant, ui) => {
    const key = `${tenant} ${ui.language}`;
    const known = kept.get(key);
    if (known && Math.abs(ui.now_ms - known.at_ms) < FRESH_MS) return known.value;
    const value = gather(services, tenant, ui).catch((error: unknown) => {
      services.log.warn({ err: error }, 'the open alerts could not be gathered');
      return null;
    });
    kept.set(key, { at_ms: ui.now_ms, value });
    return value;
  };
}

async function gather(services: Services, tenant: string, ui: Ui): Promise<OpenAlerts | null> {
  const all = await services.alerts.list(tenant, { open_only: true, limit: MOST });
  const unseen = all.filter((alert) => alert.acknowledged_ms === null);
  const worst = unseen.toSorted((a, b) => RANK[b.severity] - RANK[a.severity])[0];
  if (!worst) return null;
  const { text } = alertWords(services, tenant, worst, ui.language, ui.now_ms);
  return { n: unseen.length, severity: worst.severity, text };
}
