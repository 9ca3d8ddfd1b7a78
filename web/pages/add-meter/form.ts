/** Adding a meter, second step: address, test read, names and roles. */
import { html } from 'hono/html';
import type { MeterRole } from '../../../engine/model/site.ts';
import { connectionFields, type Transport } from '../../components/connection-fields.ts';
import { checkControl, type FormState, textControl } from '../../components/controls.ts';
import { icon } from '../../components/icon.ts';
import { layout } from '../../components/layout.ts';
import { card, csrfField, notice } from '../../components/parts.ts';
import { type PointChoice, pointFields } from '../../components/point-fields.ts';
import { quantityName } from '../../components/quantity.ts';
import { type TestView, testBlock } from '../../components/test-read.ts';
import type { Html, Ui } from '../../ui.ts';
import { verifiedBadge } from './choose.ts';

export type ChannelView = {
  name: string;
  label: string;
  role: MeterRole;
  parent: string | null;
  quantities: readonly string[];
};
export type AddMeterView = {
  profile: {
    name: string;
    vendor: string;
    model: string;
    verified: boolean;
    firmware_range: string | null;
    notes: string | null;
  } | null;
  transport: Transport;
  defaults: Readonly<Record<string, string>>;
  channels: readonly ChannelView[];
  /** Meter points that these may be a part of. */
  others: readonly PointChoice[];
  suggested_id: string;
  form: FormState;
  problem: string | null;
  test: TestView | null;
  /** Where the fields come from a search. */
  found: { vendor: string; model: string; address: string } | null;
};

export function addMeterPage(view: AddMeterView, ui: Ui): Html {
  const { t } = ui;
  const prefilled = view.found ? notice('ok', t('search.prefilled', view.found)) : '';
  const faulty = Object.keys(view.form.errors).length > 0;
  const told = view.problem ? notice('fault', view.problem) : faulty ? notice('fault', t('add.faults')) : '';
  const way = view.profile
    ? `profile=${encodeURIComponent(view.profile.name)}`
    : `way=${view.transport === 'push' ? 'http' : 'mqtt'}`;
  const content = html`<form class="stack" method="post" action="/meters/new?${way}" novalidate>${csrfField(ui)}${told}${prefilled}
${deviceCard(view, ui)}${connectionCard(view, ui)}${namesCard(view, ui)}${pointsCard(view, ui)}
<div class="actions"><button class="primary">${icon('check')}${t('add.save')}</button></div></form>`;
  return layout(ui, {
    title: t('add.title'),
    page: 'meters',
    content,
    action: html`<a class="small" href="/meters/new">${t('add.another')}</a>`,
  });
}

function deviceCard({ profile, transport }: AddMeterView, ui: Ui): Html {
  const { t } = ui;
  if (!profile)
    return card({
      title: t(transport === 'push' ? 'add.own_http' : 'add.own_mqtt'),
      content: html`<p>${t(transport === 'push' ? 'add.own_http_text' : 'add.own_mqtt_text')}</p>`,
    });
  const why = t(profile.verified ? 'add.verified_why' : 'add.unverified_why');
  return card({
    title: `${profile.vendor} ${profile.model}`,
    aside: verifiedBadge(profile.verified, ui),
    content: html`<p class="${profile.verified ? 'soft' : ''}">${why} ${profile.firmware_range ? t('add.made_for', { range: profile.firmware_range }) : ''}</p>${profile.notes ? html`<p>${profile.notes}</p>` : ''}`,
  });
}

function connectionCard(view: AddMeterView, ui: Ui): Html {
  const { t } = ui;
  const pushes = view.transport === 'mqtt' || view.transport === 'push';
  const form = { ...view.form, transport: view.transport, defaults: view.defaults, has_token: false, is_new: true };
  const way = view.profile ? `profile=${encodeURIComponent(view.profile.name)}` : `way=${view.transport}`;
  const test =
    view.transport === 'push'
      ? ''
      : testBlock(ui, {
          action: `/meters/new/test?${way}`,
          label: t('add.test'),
          text: t(pushes ? 'add.test_text_mqtt' : 'add.test_text'),
          result: view.test,
          at_once: view.found !== null && view.test === null && !pushes,
        });
  return card({
    title: t(pushes ? 'add.connection_push' : 'add.connection'),
    content: html`<div class="form">${connectionFields(form, ui)}</div>${test}`,
  });
}

function namesCard(view: AddMeterView, ui: Ui): Html {
  const { t } = ui;
  return card({
    title: t('add.names'),
    content: html`<div class="form-row">${textControl(view.form, { id: 'name', label: t('add.name'), hint: t('add.name_hint'), autocomplete: 'off' })}
${textControl(view.form, { id: 'id', label: t('add.id'), hint: t('add.id_hint'), value: view.suggested_id, autocomplete: 'off' })}</div>`,
  });
}

/** Each quantity once, whatever its phase. */
function namesOf(quantities: readonly string[], ui: Ui): string[] {
  return [...new Set(quantities.map((quantity) => quantityName(ui, quantity.replace(/_l[123]_/, '_'))))];
}

function pointsCard(view: AddMeterView, ui: Ui): Html {
  const { t } = ui;
  const several = view.channels.length > 1;
  return card({
    title: t('add.points'),
    content: html`${view.channels.map((channel, i) => {
      const quantities = namesOf(channel.quantities, ui);
      const fields = pointFields(
        view.form,
        { suffix: `_${i}`, role: channel.role, parent: channel.parent, others: view.others },
        ui,
      );
      const said = quantities.length > 0 ? html`<p class="soft small">${quantities.join(', ')}</p>` : '';
      if (!several) return html`${said}<div class="form-row">${fields}</div>`;
      const used = Object.keys(view.form.values).length === 0 || view.form.values[`use_${i}`] !== undefined;
      return html`<fieldset class="form channel"><legend><h3>${channel.label}</h3></legend>${said}
${checkControl({ id: `use_${i}`, label: t('add.use'), checked: used })}
<div class="form-row">${textControl(view.form, { id: `name_${i}`, label: t('add.name'), value: channel.name === 'main' ? '' : channel.label })}${fields}</div></fieldset>`;
    })}`,
  });
}
