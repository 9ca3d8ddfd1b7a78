/** `/meters/new`: choose a device, test it, save it; then its credential, once. Mount it before `/meters/:id`. */
import type { Context } from 'hono';
import { InvalidDataError } from '../../../engine/errors.ts';
import type { MeterRole } from '../../../engine/model/site.ts';
import { EMPTY_FORM, type FormState } from '../../../web/components/controls.ts';
import { METER_ROLES } from '../../../web/components/point-fields.ts';
import { testResult } from '../../../web/components/test-read.ts';
import { chooseMeterPage } from '../../../web/pages/add-meter/choose.ts';
import { addMeterDonePage } from '../../../web/pages/add-meter/done.ts';
import { type AddMeterView, addMeterPage, type ChannelView } from '../../../web/pages/add-meter/form.ts';
import type { FoundDevice } from '../../services/discovery-search.ts';
import type { CreatedDevice, NewDevice, ProfileSummary, Services, TestRead } from '../../services.ts';
import type { Env } from '../api.ts';
import { baseUrl, brokerAddress } from './admin/addresses.ts';
import { CONNECTION_FIELDS, connectionValues, defaultsOf, readConnection, transportOf } from './connection-form.ts';
import { faultsByField, fieldsOf, refusable, sentence } from './form.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendPage, sendPart, signedIn, uiOf } from './page.ts';
import { createShownOnce } from './shown-once.ts';

/** Longer than the longest test read. */
const TEST_MS = 40_000;

type Made = { name: string; device: CreatedDevice; profile: ProfileSummary | null };
type Choice = { profile: ProfileSummary | null; transport: AddMeterView['transport'] };

export function createAddMeterPages(deps: PageDeps) {
  const { services } = deps;
  const { devices, profiles, clock } = services;
  const app = createPageApp();
  const admin = signedIn(deps, 'admin');
  const secrets = createShownOnce<Made>(clock);
  const show = (c: Context<Env>, choice: Choice, form: FormState, more: Partial<AddMeterView> = {}) => {
    const view = {
      ...viewOf(services, readerOf(c).tenant, choice),
      form,
      problem: null,
      test: null,
      found: null,
      ...more,
    };
    const bad = view.problem !== null || Object.keys(form.errors).length > 0;
    return sendPage(c, addMeterPage(view, uiOf(deps, c)), bad ? 400 : 200);
  };

  app.get('/meters/new', admin, (c) => {
    const choice = choiceOf(services, c);
    const found = services.search.found(readerOf(c).tenant, c.req.query('found') ?? '');
    if (choice) return show(c, choice, EMPTY_FORM, found ? foundView(choice, found) : {});
    const view = { profiles: profiles.list(), search: c.req.query('q') ?? '', found };
    return sendPage(c, chooseMeterPage(view, uiOf(deps, c)));
  });
  app.post('/meters/new/test', admin, csrfChecked(deps), async (c) => {
    const choice = choiceOf(services, c);
    if (!choice) return c.redirect('/meters/new', 303);
    const ui = uiOf(deps, c);
    const values = await fieldsOf(c);
    const { connection, errors } = readConnection(values, choice.transport, ui);
    const test = await testOnce(services, readerOf(c).tenant, choice.profile, connection, errors, c);
    if (c.req.header('hx-request')) return sendPart(c, testResult(test, ui));
    return show(c, choice, { values, errors }, { test });
  });
  app.post('/meters/new', admin, csrfChecked(deps), async (c) => {
    const choice = choiceOf(services, c);
    if (!choice) return c.redirect('/meters/new', 303);
    const ui = uiOf(deps, c);
    const values = await fieldsOf(c);
    const { connection, errors } = readConnection(values, choice.transport, ui);
    const id = values.id?.trim() ?? '';
    const wrong: FormState['errors'] = { ...errors, ...(id === '' ? { id: ui.t('setup.fault_needed') } : {}) };
    if (Object.keys(wrong).length > 0) return show(c, choice, { values, errors: wrong });
    const name = values.name?.trim() || id;
    const wish = { id, name, profile: choice.profile?.name ?? null, connection, points: pointsOf(values, choice) };
    const outcome = await refusable(() => devices.create(readerOf(c), wish));
    if ('refused' in outcome) {
      const faults = faultsByField(outcome.refused, ['id', 'name', ...CONNECTION_FIELDS]);
      return show(c, choice, { values, errors: faults.errors }, { problem: faults.problem });
    }
    const device = outcome.done;
    if (device.password === null) return c.redirect(pageOf(device.meters[0]), 303);
    return c.redirect(`/meters/new/done?made=${secrets.keep(c, { name, device, profile: choice.profile })}`, 303);
  });
  app.get('/meters/new/done', admin, (c) => {
    const made = secrets.take(c, c.req.query('made') ?? '');
    const ui = uiOf(deps, c);
    if (made === null || made === 'gone') return sendPage(c, addMeterDonePage('gone', ui));
    const { name, device, profile } = made;
    return sendPage(
      c,
      addMeterDonePage(
        {
          name,
          meter: device.meters[0] ?? null,
          username: device.username ?? device.id,
          password: device.password ?? '',
          topic: device.topic,
          base_url: baseUrl(deps, c),
          broker: brokerAddress(deps, c),
          own_format: profile === null,
          profile_notes: profile?.notes ?? null,
        },
        ui,
      ),
    );
  });
  return app;
}

function pageOf(meter: string | undefined): string {
  return meter === undefined ? '/meters' : `/meters/${encodeURIComponent(meter)}`;
}

/** What the address names; null leads to the list. */
function choiceOf({ profiles }: Services, c: Context<Env>): Choice | null {
  const name = c.req.query('profile');
  const profile = name === undefined ? null : profiles.get(name);
  if (profile) return { profile, transport: transportOf(profile, { kind: 'push' }) };
  const way = c.req.query('way');
  if (way === 'mqtt') return { profile: null, transport: 'mqtt' };
  return way === 'http' ? { profile: null, transport: 'push' } : null;
}

function viewOf(services: Services, tenant: string, { profile, transport }: Choice) {
  const points = services.meters.list(tenant);
  const grid = points.find((point) => point.role === 'grid')?.id ?? null;
  const channels: ChannelView[] = (profile?.channels ?? [OWN_CHANNEL]).map(({ name, label, role, quantities }) => ({
    ...{ name, label, role, quantities },
    parent: role === 'sub-meter' ? grid : null,
  }));
  return {
    profile,
    transport,
    defaults: profile ? defaultsOf(profile) : { own_format: 'yes' },
    channels,
    others: points.map(({ id, name }) => ({ id, name })),
    suggested_id: freeId(services, tenant, profile?.name ?? 'meter'),
  };
}

/** The fields that a search has filled. A finding of another transport than the profile's fills none. */
function foundView({ profile }: Choice, found: FoundDevice): Partial<AddMeterView> {
  const { connection } = found;
  if (!profile || !connection || !TRANSPORTS[connection.kind]?.includes(profile.transport)) return {};
  const { url, topic, ...values } = connectionValues(connection);
  const defaults = { ...defaultsOf(profile), ...values };
  return {
    found,
    defaults: {
      ...defaults,
      ...(url === undefined ? {} : { found_url: url }),
      ...(topic === undefined ? {} : { found_topic: topic }),
    },
  };
}
const TRANSPORTS: Readonly<Record<string, readonly string[]>> = {
  'modbus-tcp': ['modbus'],
  'modbus-rtu': ['modbus'],
  http: ['http'],
  mqtt: ['mqtt'],
};

const OWN_CHANNEL: ChannelView = { name: 'main', label: 'main', role: 'load', parent: null, quantities: [] };

/** `eastron-sdm630`, or with the next number where that is taken. */
export function freeId(services: Pick<Services, 'devices' | 'meters'>, tenant: string, stem: string): string {
  const isTaken = (id: string) => services.devices.get(tenant, id) !== null || services.meters.get(tenant, id) !== null;
  let id = stem;
  for (let n = 2; isTaken(id); n++) id = `${stem}-${n}`;
  return id;
}

function pointsOf(values: Readonly<Record<string, string>>, { profile }: Choice): NonNullable<NewDevice['points']> {
  const channels = profile?.channels ?? [OWN_CHANNEL];
  const several = channels.length > 1;
  return channels.map((channel, i) => {
    const name = values[`name_${i}`]?.trim();
    return {
      channel: channel.name,
      role: meterRole(values[`role_${i}`]) ?? channel.role,
      parent: values[`parent_${i}`] || null,
      ...(several && name ? { name } : {}),
      ...(several && values[`use_${i}`] === undefined ? { skip: true } : {}),
    };
  });
}

export function meterRole(text: string | undefined): MeterRole | undefined {
  return METER_ROLES.find((role) => role === text);
}

/** A test read whose every failure is words; `errors` of the form come first. */
export async function testOnce(
  { devices }: Pick<Services, 'devices'>,
  tenant: string,
  profile: Pick<ProfileSummary, 'name'> | null,
  connection: Parameters<Services['devices']['testRead']>[2],
  errors: FormState['errors'],
  c: Context<Env>,
): Promise<TestRead> {
  const failed = (problem: string): TestRead => ({ ok: false, problem, firmware: null, took_ms: 0, values: [] });
  const wrong = Object.entries(errors);
  if (wrong.length > 0) return failed(wrong.map(([name, problem]) => `${name}: ${problem}`).join(' '));
  // Whoever closes the page lets go of the device, too.
  const signal = AbortSignal.any([c.req.raw.signal, AbortSignal.timeout(TEST_MS)]);
  try {
    return await devices.testRead(tenant, profile?.name ?? null, connection, signal);
  } catch (error) {
    if (error instanceof InvalidDataError) return failed(sentence(error));
    throw error;
  }
}
