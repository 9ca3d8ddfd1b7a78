/** Adding a meter, last step: the credential, shown once, and lines to try it. */
import { html } from 'hono/html';
import { layout } from '../../components/layout.ts';
import { card, emptyState, linkButton, notice } from '../../components/parts.ts';
import { copyBlock, copyLine, onceWarning } from '../../components/secret.ts';
import type { Html, Ui } from '../../ui.ts';

export type DoneView = {
  name: string;
  meter: string | null;
  username: string;
  password: string;
  /** The device's topic in our own format; null where its profile says what it sends. */
  topic: string | null;
  base_url: string;
  broker: { host: string; port: number; tls: boolean };
  /** Which examples help: devices with a profile are set up in their own settings. */
  own_format: boolean;
  profile_notes: string | null;
};

export function addMeterDonePage(view: DoneView | 'gone', ui: Ui): Html {
  const { t } = ui;
  const title = t('add.title');
  if (view === 'gone')
    return layout(ui, {
      title,
      page: 'meters',
      content: emptyState({
        title: t('once.gone_title'),
        text: t('once.gone'),
        icon: 'key-round',
        actions: linkButton('/admin/devices', t('device.all'), 'primary'),
      }),
    });
  const { broker, username, password } = view;
  const content = html`${notice('ok', html`<b>${t('add.done_title', { name: view.name })}</b> ${t('add.done_wait')}`)}
${card({
  title: t('add.done_credential'),
  content: html`${onceWarning(ui)}<dl class="stack">${copyLine(ui, t('once.username'), username)}${copyLine(ui, t('once.password'), password)}${view.topic ? copyLine(ui, t('once.topic'), view.topic) : ''}${copyLine(ui, `MQTT: ${t('add.done_server')}`, broker.host)}${copyLine(ui, `MQTT: ${t('add.done_port')}`, String(broker.port))}</dl>${view.profile_notes ? html`<p>${view.profile_notes}</p>` : ''}`,
})}
${view.own_format ? examples(view, ui) : ''}
<div class="actions">${linkButton(view.meter ? `/meters/${encodeURIComponent(view.meter)}` : '/meters', t('add.done_look', { name: view.name }), 'primary')}</div>`;
  return layout(ui, { title, page: 'meters', content, scripts: ['copy.js'] });
}

function examples(view: DoneView, ui: Ui): Html {
  const { broker, username, password, base_url } = view;
  const body = '\'{"power_W": 1200, "import_kWh": 5012.3}\'';
  const tls = broker.tls ? ' --tls-use-os-certs' : '';
  const mqtt = `mosquitto_pub -h ${broker.host} -p ${broker.port}${tls} -q 1 \\\n  -u '${username}' -P '${password}' \\\n  -t '${view.topic ?? ''}' -m ${body}`;
  const http = `curl -u '${username}:${password}' -H 'Content-Type: application/json' \\\n  -d ${body} ${base_url}/api/v1/readings`;
  return card({
    title: ui.t('once.example'),
    content: html`${view.topic ? copyBlock(ui, ui.t('add.done_mqtt'), mqtt) : ''}${copyBlock(ui, ui.t('add.done_http'), http)}`,
  });
}
