/** Admin, site: the settings that set-up asked for, and the demo. */
import { html } from 'hono/html';
import { card, csrfField, emptyState, linkButton, notice } from '../../components/parts.ts';
import { type SiteForm, siteFields } from '../../components/site-form.ts';
import type { Html, Ui } from '../../ui.ts';
import { adminPage, type Told } from './frame.ts';

export type AdminSiteView = {
  /** Null before set-up. */
  form: SiteForm | null;
  /** `blocked`: the box has a site of its own. */
  demo: 'running' | 'possible' | 'blocked';
  told: Told;
};

export function adminSitePage(view: AdminSiteView, ui: Ui): Html {
  const { t } = ui;
  const settings = view.form
    ? card({ title: t('admin.site_title'), content: siteSettings(view.form, ui) })
    : emptyState({
        title: t('admin.no_site_title'),
        text: t('admin.no_site'),
        icon: 'building-2',
        actions: linkButton('/setup', t('admin.set_up'), 'primary'),
      });
  return adminPage(ui, 'site', html`${settings}${demoCard(view.demo, ui)}${moreCard(ui)}`, { told: view.told });
}

function siteSettings(form: SiteForm, ui: Ui): Html {
  const faulty = Object.keys(form.errors).length > 0;
  return html`<form class="form" method="post" action="/admin/site" novalidate>${csrfField(ui)}
${faulty ? notice('fault', ui.t('setup.faults')) : ''}${siteFields(form, ui)}
<div class="actions"><button class="primary">${ui.t('setup.save')}</button></div></form>`;
}

function demoCard(demo: AdminSiteView['demo'], ui: Ui): Html {
  const { t } = ui;
  if (demo === 'running')
    return card({
      title: t('admin.demo'),
      size: 'half',
      content: html`<p>${t('admin.demo_running')}</p><form class="actions" method="post" action="/demo/stop">${csrfField(ui)}<button>${t('admin.demo_stop')}</button></form>`,
    });
  if (demo === 'blocked')
    return card({
      title: t('admin.demo'),
      size: 'half',
      content: html`<p class="soft">${t('admin.demo_blocked')}</p>`,
    });
  return card({
    title: t('admin.demo'),
    size: 'half',
    content: html`<p>${t('admin.demo_stopped')}</p><form class="actions" method="post" action="/demo/start">${csrfField(ui)}<button>${t('admin.demo_start')}</button></form>`,
  });
}

function moreCard(ui: Ui): Html {
  return card({
    title: ui.t('admin.more'),
    size: 'half',
    content: html`<ul class="rows"><li><a href="/import">${ui.t('admin.import')}</a></li><li><a href="/documents">${ui.t('page.documents')}</a></li><li><a href="/api">${ui.t('admin.api_reference')}</a></li></ul>`,
  });
}
