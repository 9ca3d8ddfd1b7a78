/** `/admin/devices`: every device with its state, and new passwords for those that push. */
import { type Context, Hono } from 'hono';
import { NotFoundError } from '../../../../engine/errors.ts';
import type { Device } from '../../../../engine/model/site.ts';
import { type DeviceRow, devicesPage } from '../../../../web/pages/admin/devices.ts';
import { NOTHING_TOLD } from '../../../../web/pages/admin/frame.ts';
import type { Ui } from '../../../../web/ui.ts';
import type { DeviceState } from '../../../services.ts';
import type { Env } from '../../api.ts';
import { faultText } from '../fault-text.ts';
import { wayOf } from '../meter.ts';
import { csrfChecked, type PageDeps, readerOf, sendPage, signedIn, uiOf } from '../page.ts';
import { createShownOnce } from '../shown-once.ts';

type Made = { name: string; username: string; password: string };

export function createAdminDevicesPages(deps: PageDeps) {
  const { devices, clock } = deps.services;
  const app = new Hono<Env>();
  const secrets = createShownOnce<Made>(clock);
  const show = (c: Context<Env>) => {
    const { tenant } = readerOf(c);
    const ui = uiOf(deps, c);
    const rows = devices.list(tenant).map((device) => rowOf(device, devices.state(tenant, device.id), ui));
    const shown = secrets.take(c, c.req.query('made'));
    return sendPage(c, devicesPage({ devices: rows, shown, told: NOTHING_TOLD }, ui));
  };
  app.get('/admin/devices', signedIn(deps, 'admin'), show);
  app.post('/admin/devices/:id/credential', signedIn(deps, 'admin'), csrfChecked(deps), async (c) => {
    const actor = readerOf(c);
    const device = devices.get(actor.tenant, c.req.param('id'));
    if (!device) throw new NotFoundError('There is no such device.', 'It may have been removed already.');
    const made = await devices.newCredential(actor, device.id);
    return c.redirect(`/admin/devices?made=${secrets.keep(c, { name: device.name, ...made })}`, 303);
  });
  return app;
}

/** Whether the device comes to the box, and so has a user name and password. */
export function pushes({ connection }: Pick<Device, 'connection'>): boolean {
  return connection.kind === 'mqtt' || connection.kind === 'push';
}

export function rowOf(device: Device, state: DeviceState, ui: Ui): DeviceRow {
  const { t } = ui;
  const { id, name } = device;
  const common = {
    id,
    name,
    way: wayOf(device.connection, ui),
    last_seen_ms: state.last_seen_ms,
    pushes: pushes(device),
  };
  const problem = state.last_error ? faultText(state.last_error, ui) : null;
  if (!device.enabled) return { ...common, state: 'unknown', text: t('meter.disabled'), problem: null };
  if (state.connected === false) return { ...common, state: 'fault', text: t('meter.disconnected'), problem };
  if (problem) return { ...common, state: 'warning', text: t('devices.faulty'), problem };
  return state.connected === null && state.last_seen_ms === null
    ? { ...common, state: 'unknown', text: t('devices.waiting'), problem }
    : { ...common, state: 'ok', text: t('meter.connected'), problem };
}
