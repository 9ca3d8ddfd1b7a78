/** `/admin/…`: site, people, API keys, devices, health, audit log; for admins. */

import { createAuditPage } from './admin/audit.ts';
import { createBackupsPage } from './admin/backups.ts';
import { createAdminDevicesPages } from './admin/devices.ts';
import { createHealthPage } from './admin/health.ts';
import { createHostsPages } from './admin/hosts.ts';
import { createKeysPages } from './admin/keys.ts';
import { createNotificationPages } from './admin/notifications.ts';
import { createPeoplePages } from './admin/people.ts';
import { createRegulationAdminPages } from './admin/regulation.ts';
import { createAdminSitePages } from './admin/site.ts';
import { createPageApp, type PageDeps } from './page.ts';

/** @returns the app and the live view that goes by the name `health`. */
export function createAdminPages(deps: PageDeps) {
  const app = createPageApp();
  const health = createHealthPage(deps);
  app.get('/admin', (c) => c.redirect('/admin/site', 303));
  for (const page of [
    createAdminSitePages(deps),
    createPeoplePages(deps),
    createKeysPages(deps),
    createAdminDevicesPages(deps),
    createNotificationPages(deps),
    createRegulationAdminPages(deps),
    createHostsPages(deps),
    health.app,
    createBackupsPage(deps),
    createAuditPage(deps),
  ])
    app.route('/', page);
  return { app, live: health.live };
}
