/** `/devices/:id`: settings, test read, meter points, removal; for admins. */
import type { Context } from 'hono';
import { NotFoundError } from '../../../engine/errors.ts';
import type { Device } from '../../../engine/model/site.ts';
import { EMPTY_FORM, type FormState } from '../../../web/components/controls.ts';
import { testResult } from '../../../web/components/test-read.ts';
import { NOTHING_TOLD, type Told } from '../../../web/pages/admin/frame.ts';
import { type DeviceView, devicePage } from '../../../web/pages/device.ts';
import type { Services } from '../../services.ts';
import type { Env } from '../api.ts';
import { freeId, meterRole, testOnce } from './add-meter.ts';
import { pushes, rowOf } from './admin/devices.ts';
import { CONNECTION_FIELDS, connectionValues, defaultsOf, readConnection, transportOf } from './connection-form.ts';
import { faultsByField, fieldsOf, refusable, sentence } from './form.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendPage, sendPart, signedIn, uiOf } from './page.ts';

type Shown = { form?: FormState; told?: Told; test?: DeviceView['test']; status?: 200 | 400 };

export function createDevicePages(deps: PageDeps) {
  const { services } = deps;
  const { devices, meters } = services;
  const app = createPageApp();
  const admin = signedIn(deps, 'admin');
  const csrf = csrfChecked(deps);
  const show = (c: Context<Env>, device: Device, { form, told = NOTHING_TOLD, test = null, status = 200 }: Shown) => {
    const view = viewOf(
      services,
      device,
      uiOf(deps, c),
      form ?? { ...EMPTY_FORM, values: connectionValues(device.connection) },
    );
    return sendPage(c, devicePage({ ...view, told, test }, uiOf(deps, c)), status);
  };
  /** Back to the device, or why not. */
  const answer = async (c: Context<Env>, device: Device, work: () => Promise<unknown>) => {
    const outcome = await refusable(work);
    if ('refused' in outcome)
      return show(c, device, { told: { saved: false, problem: sentence(outcome.refused) }, status: 400 });
    return c.redirect(`/devices/${encodeURIComponent(device.id)}?saved`, 303);
  };

  app.get('/devices/:id', admin, (c) =>
    show(c, deviceOf(services, c), { told: { ...NOTHING_TOLD, saved: c.req.query('saved') !== undefined } }),
  );
  app.post('/devices/:id', admin, csrf, async (c) => {
    const device = deviceOf(services, c);
    const values = await fieldsOf(c);
    const { connection, errors } = typedConnection(services, device, values, deps, c);
    if (Object.keys(errors).length > 0) return show(c, device, { form: { values, errors }, status: 400 });
    const change = { name: values.name?.trim() ?? '', enabled: values.enabled !== undefined, connection };
    const outcome = await refusable(() => devices.update(readerOf(c), device.id, change));
    if ('done' in outcome) return c.redirect(`/devices/${encodeURIComponent(device.id)}?saved`, 303);
    const faults = faultsByField(outcome.refused, ['name', ...CONNECTION_FIELDS]);
    const told = { saved: false, problem: faults.problem };
    return show(c, device, { form: { values, errors: faults.errors }, told, status: 400 });
  });
  app.post('/devices/:id/test', admin, csrf, async (c) => {
    const device = deviceOf(services, c);
    const values = await fieldsOf(c);
    const { connection, errors } = typedConnection(services, device, values, deps, c);
    // Without a topic of its own a device publishes under its id.
    const tested = connection.kind === 'mqtt' ? { ...connection, topic: connection.topic ?? device.id } : connection;
    const profile = device.profile === null ? null : { name: device.profile };
    const test = await testOnce(services, device.tenant, profile, tested, errors, c);
    if (c.req.header('hx-request')) return sendPart(c, testResult(test, uiOf(deps, c)));
    return show(c, device, { form: { values, errors }, test });
  });
  app.post('/devices/:id/remove', admin, csrf, async (c) => {
    const device = deviceOf(services, c);
    const { erase_readings } = await fieldsOf(c);
    const outcome = await refusable(() =>
      devices.remove(readerOf(c), device.id, { erase_readings: erase_readings !== undefined }),
    );
    if ('done' in outcome) return c.redirect('/admin/devices?saved', 303);
    return show(c, device, { told: { saved: false, problem: sentence(outcome.refused) }, status: 400 });
  });
  app.post('/devices/:id/points', admin, csrf, async (c) => {
    const device = deviceOf(services, c);
    const { channel: name } = await fieldsOf(c);
    const profile = device.profile === null ? null : services.profiles.get(device.profile);
    const channel = profile?.channels.find((each) => each.name === name);
    if (!channel) throw new NotFoundError('The device has no such channel.');
    const id = freeId({ devices: NO_DEVICES, meters }, device.tenant, `${device.id}-${channel.name}`);
    const point = { id, name: `${device.name}: ${channel.label}`, role: channel.role, device: device.id };
    return answer(c, device, () =>
      meters.save(readerOf(c), { ...point, channel: channel.name, parent: null, virtual: null }),
    );
  });
  app.post('/devices/:id/points/:point', admin, csrf, async (c) => {
    const device = deviceOf(services, c);
    const point = meters.get(device.tenant, c.req.param('point'));
    if (!point || point.device !== device.id) throw new NotFoundError('The device has no such meter point.');
    const values = await fieldsOf(c);
    const at = values.place ?? '';
    const change = {
      name: values[`name_${at}`]?.trim() ?? point.name,
      role: meterRole(values[`role_${at}`]) ?? point.role,
      parent: values[`parent_${at}`] || null,
    };
    const { id, channel, virtual } = point;
    return answer(c, device, () => meters.save(readerOf(c), { id, channel, virtual, device: device.id, ...change }));
  });
  return app;
}

/** A meter point may have the id of its own device. */
const NO_DEVICES = { get: () => null } as unknown as Services['devices'];

function deviceOf({ devices }: Services, c: Context<Env>): Device {
  const device = devices.get(readerOf(c).tenant, c.req.param('id') ?? '');
  if (device) return device;
  throw new NotFoundError('There is no such device.', 'It may have been removed already.');
}

function typedConnection(
  services: Services,
  device: Device,
  values: Readonly<Record<string, string>>,
  deps: PageDeps,
  c: Context<Env>,
) {
  const profile = device.profile === null ? null : services.profiles.get(device.profile);
  return readConnection(values, transportOf(profile, device.connection), uiOf(deps, c), device.connection);
}

function viewOf(
  services: Services,
  device: Device,
  ui: Parameters<typeof rowOf>[2],
  form: FormState,
): Omit<DeviceView, 'told' | 'test'> {
  const { tenant, id, name, enabled, firmware, connection } = device;
  const { way, state, text, problem, last_seen_ms } = rowOf(device, services.devices.state(tenant, id), ui);
  const profile = device.profile === null ? null : services.profiles.get(device.profile);
  const points = services.meters.ofDevice(tenant, id);
  const measured = new Set(points.map((point) => point.channel));
  return {
    device: { id, name, enabled, firmware, way },
    state: { state, text, problem, last_seen_ms },
    profile,
    transport: transportOf(profile, connection),
    form,
    defaults: profile ? defaultsOf(profile) : { own_format: 'yes' },
    has_token: connection.kind === 'http' && connection.token !== null,
    username: pushes(device) ? (tenant === 'default' ? id : `${tenant}.${id}`) : null,
    points,
    unused: (profile?.channels ?? []).filter((channel) => !measured.has(channel.name)),
    others: services.meters.list(tenant).map((point) => ({ id: point.id, name: point.name })),
  };
}
