/** What the page of backups says when not all is well. */
import { expect, it } from 'vitest';
import { type BackupsView, backupsPage } from '../../web/pages/admin/backups.ts';
import { createUi } from '../../web/ui.ts';
import { sampleBackups } from './sample-backups.ts';
import { SAMPLE_NOW_MS } from './sample-site.ts';

const ACTOR = { tenant: 'default', person: 'anna', role: 'admin', language: 'en' } as const;
async function page(language: 'en' | 'de', change: Partial<BackupsView>): Promise<string> {
  const ui = createUi({
    ...{ language, theme: 'dark', path: '/admin/backups', csrf: 'x', now_ms: SAMPLE_NOW_MS, asset: (name) => name },
    ...{ site: null, actor: { person: 'anna', name: 'Anna', role: 'admin' } },
  });
  const view = { ...sampleBackups().backups.state(ACTOR), told: { saved: false, problem: null }, ...change };
  return String(await backupsPage(view, ui));
}

it('an old backup does not look well', async () => {
  expect(await page('en', {})).toContain('all is well');
  const stale = await page('en', { stale: true });
  expect(stale).toContain('too old');
  expect(stale).not.toContain('all is well');
});

it('faults are told in the language of the reader; where the disk is gone, a button begins anew', async () => {
  const fault = { at_ms: SAMPLE_NOW_MS, kind: 'folder_gone', text: 'The backups of this box were in /mnt' };
  const german = await page('de', { fault });
  expect(german).toContain('Schließen Sie die Platte an');
  expect(german).not.toContain(fault.text);
  expect(german).toContain('name="new_folder"');
  const other = await page('de', { fault: { ...fault, kind: 'other', text: 'EXDEV' } });
  expect(other).toMatch(/Unvorhergesehenes.*EXDEV/);
  expect(other).not.toContain('name="new_folder"');
});
