/** `/admin/notifications`: channels, recipients, rules, the test message and what went out. */
import { type Context, Hono } from 'hono';
import type { FormState } from '../../../../web/components/controls.ts';
import { NOTHING_TOLD, type Told } from '../../../../web/pages/admin/frame.ts';
import {
  type ChannelRow,
  type NotificationsView,
  notificationsPage,
} from '../../../../web/pages/admin/notifications.ts';
import type { Channel } from '../../../services/notify/settings.ts';
import type { NotifyService } from '../../../services/notify.ts';
import type { Env } from '../../api.ts';
import { faultsByField, fieldsOf, refusable, sentence } from '../form.ts';
import { csrfChecked, type PageDeps, readerOf, sendPage, signedIn, uiOf } from '../page.ts';
import { createShownOnce } from '../shown-once.ts';
import {
  CHANNEL_FIELDS,
  channelForm,
  channelInput,
  clockTime,
  RECIPIENT_FIELDS,
  recipientForm,
  recipientInput,
  typed,
} from './notification-forms.ts';

const PATH = '/admin/notifications';
const LOGGED = 20;
/** Of the last messages, those that tell how a channel fares. */
const LOOKED_AT = 200;

type Show = { told?: Told; refused?: NotificationsView['refused']; test?: NotificationsView['test'] };
type Refused = { form: string; state: FormState; problem: string | null };

export function createNotificationPages(deps: PageDeps) {
  const { notify, clock } = deps.services;
  const app = new Hono<Env>();
  const admin = signedIn(deps, 'admin');
  const csrf = csrfChecked(deps);
  const secrets = createShownOnce<{ name: string; secret: string }>(clock);

  const show = async (c: Context<Env>, { told = NOTHING_TOLD, refused = null, test = null }: Show = {}) => {
    const { tenant } = readerOf(c);
    const devices = deps.services.devices
      .list(tenant)
      .filter(({ connection }) => ['mqtt', 'push'].includes(connection.kind));
    const view: NotificationsView = {
      ...(await gather(notify, tenant)),
      ...{ devices: devices.map(({ id, name }) => [id, name] as const), refused, test, told },
      secret: secrets.take(c, c.req.query('made')),
    };
    return sendPage(c, notificationsPage(view, uiOf(deps, c)), refused || told.problem ? 400 : 200);
  };
  const refuse = (c: Context<Env>, { form, state, problem }: Refused) =>
    show(c, { refused: { form, state }, told: { saved: false, problem } });
  const saved = (c: Context<Env>) => c.redirect(`${PATH}?saved`, 303);

  app.get(PATH, admin, (c) => show(c, { told: { saved: c.req.query('saved') !== undefined, problem: null } }));

  const saveChannel = async (c: Context<Env>, id?: string) => {
    const fields = await fieldsOf(c);
    const outcome = await refusable(() => notify.saveChannel(readerOf(c), channelInput(fields), id));
    if ('refused' in outcome) {
      const { errors, problem } = faultsByField(outcome.refused, CHANNEL_FIELDS);
      const state = typed(fields, ['enabled', 'tls'], errors);
      return refuse(c, { form: `channel-${id ?? `new-${fields.kind}`}`, state, problem });
    }
    const secret = outcome.done.made_secret;
    if (secret === null) return saved(c);
    return c.redirect(`${PATH}?made=${secrets.keep(c, { name: fields.name ?? '', secret })}`, 303);
  };
  app.post(`${PATH}/channels`, admin, csrf, (c) => saveChannel(c));
  app.post(`${PATH}/channels/:id`, admin, csrf, (c) => saveChannel(c, c.req.param('id')));
  app.post(`${PATH}/channels/:id/remove`, admin, csrf, async (c) => {
    await notify.removeChannel(readerOf(c), c.req.param('id'));
    return saved(c);
  });
  app.post(`${PATH}/channels/:id/test`, admin, csrf, async (c) => {
    const id = c.req.param('id');
    const outcome = await notify.test(readerOf(c), id, (await fieldsOf(c)).to?.trim() || null);
    const name = (await notify.channels(readerOf(c).tenant)).find((one) => one.id === id)?.name ?? '';
    return show(c, { test: { name, ...outcome } });
  });

  addRecipientRoutes(app, deps, { refuse, saved });
  return app;
}

type Answers = {
  refuse: (c: Context<Env>, refused: Refused) => Promise<Response>;
  saved: (c: Context<Env>) => Response;
};

/** The forms of recipients and rules. */
function addRecipientRoutes(app: Hono<Env>, deps: PageDeps, { refuse, saved }: Answers): void {
  const { notify } = deps.services;
  const admin = signedIn(deps, 'admin');
  const csrf = csrfChecked(deps);
  const saveRecipient = async (c: Context<Env>, id?: string) => {
    const fields = await fieldsOf(c);
    const form = `recipient-${id ?? 'new'}`;
    const state = (errors: FormState['errors']) => typed(fields, ['enabled', 'faults_break_through'], errors);
    const read = recipientInput(fields, uiOf(deps, c));
    if ('errors' in read) return refuse(c, { form, state: state(read.errors), problem: null });
    const outcome = await refusable(() => notify.saveRecipient(readerOf(c), read.input, id));
    if ('done' in outcome) return saved(c);
    const { errors, problem } = faultsByField(outcome.refused, RECIPIENT_FIELDS);
    return refuse(c, { form, state: state(errors), problem });
  };
  app.post(`${PATH}/recipients`, admin, csrf, (c) => saveRecipient(c));
  app.post(`${PATH}/recipients/:id`, admin, csrf, (c) => saveRecipient(c, c.req.param('id')));
  app.post(`${PATH}/recipients/:id/remove`, admin, csrf, async (c) => {
    await notify.removeRecipient(readerOf(c), c.req.param('id'));
    return saved(c);
  });

  app.post(`${PATH}/rules`, admin, csrf, async (c) => {
    const fields = await fieldsOf(c);
    const rules = {
      group_s: Number(fields.group_s || Number.NaN),
      escalate_min: Number(fields.escalate_min || Number.NaN),
    };
    const outcome = await refusable(() => notify.saveRules(readerOf(c), rules));
    if ('done' in outcome) return saved(c);
    const { errors } = faultsByField(outcome.refused, ['group_s', 'escalate_min']);
    return refuse(c, { form: 'rules', state: { values: fields, errors }, problem: sentence(outcome.refused) });
  });
}

async function gather(notify: NotifyService, tenant: string) {
  const [channels, recipients, rules, messages] = await Promise.all([
    notify.channels(tenant),
    notify.recipients(tenant),
    notify.rules(tenant),
    notify.messages(tenant, LOOKED_AT),
  ]);
  const { group_s, escalate_min } = rules;
  const nameOf = (id: string) => channels.find((one) => one.id === id)?.name ?? '';
  return {
    channels: channels.map((channel) => channelRow(channel, messages)),
    recipients: recipients.map((one) => ({
      ...{ id: one.id, name: one.name, address: one.address, step: one.step, enabled: one.enabled },
      channel_name: nameOf(one.channel),
      quiet: one.quiet && { from: clockTime(one.quiet.from_min), to: clockTime(one.quiet.to_min) },
      form: recipientForm(one),
    })),
    messages: messages.slice(0, LOGGED),
    rules: { values: { group_s: String(group_s), escalate_min: String(escalate_min) }, errors: {} },
  };
}

/** How a channel fares: what its newest message met that was tried at all. */
function channelRow(channel: Channel, messages: Awaited<ReturnType<NotifyService['messages']>>): ChannelRow {
  const { id, name, kind, enabled, has_secret } = channel;
  const last = messages.find((one) => one.channel_name === name && one.outcome !== null);
  const state = last === undefined ? 'unused' : last.state === 'sent' ? 'ok' : 'failing';
  return { id, name, kind, enabled, has_secret, state, outcome: last?.outcome ?? null, form: channelForm(channel) };
}
