/** How people are told of alerts: channels, recipients, rules, and the messages that went out. */
import { z } from '@hono/zod-openapi';
import type { Channel, Recipient } from '../../services/notify/settings.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, iso } from '../api.ts';

const tags = ['Notifications'];
const severity = z.enum(['info', 'warning', 'fault']);
const params = z.object({ id: z.string() });
const body = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true as const,
  content: { 'application/json': { schema } },
});
const answer = <Schema extends z.ZodType>(description: string, schema: Schema) => ({
  description,
  content: { 'application/json': { schema } },
});

const ChannelInput = z
  .strictObject({
    name: z.string().openapi({ example: 'mail' }),
    kind: z.enum(['email', 'webhook', 'mqtt']),
    settings: z.record(z.string(), z.unknown()).openapi({
      description:
        'email: host, port, security (tls, starttls, none), user, from, ca_pem. webhook: url (left out on a change: the present one stays; given out is only its host). mqtt: broker own with device, or broker external with host, port, tls, user, ca_pem, prefix.',
      example: { host: 'mail.example.org', port: 587, security: 'starttls', user: 'luna', from: 'luna@example.org' },
    }),
    secret: z.string().optional().openapi({
      description: 'Password, or signing secret of a webhook (`whsec_…`). Left out: the present one stays.',
    }),
    min_severity: severity.default('warning'),
    repeat_min: z.number().int().nullable().default(null).openapi({ description: 'Minutes; null never repeats.' }),
    enabled: z.boolean().default(true),
  })
  .openapi('NotificationChannelInput');
const ChannelSchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    kind: z.enum(['email', 'webhook', 'mqtt']),
    settings: z.record(z.string(), z.unknown()),
    has_secret: z.boolean().openapi({ description: 'The secret itself is never given out.' }),
    min_severity: severity,
    repeat_min: z.number().int().nullable(),
    enabled: z.boolean(),
  })
  .openapi('NotificationChannel');
const SavedChannel = z
  .object({
    id: z.uuid(),
    made_secret: z.string().nullable().openapi({ description: 'A signing secret that the box made; shown only now.' }),
  })
  .openapi('SavedNotificationChannel');

const minute = z.number().int().min(0).max(1439);
const RecipientInput = z
  .strictObject({
    channel: z.string().openapi({ description: 'Id of the channel.' }),
    name: z.string().openapi({ example: 'Anna' }),
    address: z.string().nullable().default(null).openapi({ example: 'anna@example.org', description: 'For e-mail.' }),
    language: z.enum(['en', 'de']).default('en'),
    step: z.number().int().default(1).openapi({ description: 'Place in the order of escalation, 1 to 9.' }),
    quiet: z
      .strictObject({ from_min: minute, to_min: minute })
      .nullable()
      .default(null)
      .openapi({ description: 'Quiet hours, minutes of the local day of the site.' }),
    faults_break_through: z.boolean().default(true),
    enabled: z.boolean().default(true),
  })
  .openapi('NotificationRecipientInput');
const RecipientSchema = RecipientInput.extend({ id: z.uuid() }).openapi('NotificationRecipient');
const RulesSchema = z
  .strictObject({
    group_s: z.number().int().openapi({ example: 60, description: 'Seconds that alerts are gathered.' }),
    escalate_min: z.number().int().openapi({ example: 30, description: 'Minutes until the next step is told.' }),
  })
  .openapi('NotificationRules');
const MessageSchema = z
  .object({
    id: z.uuid(),
    recipient: z.string(),
    channel: z.string(),
    severity,
    state: z.enum(['waiting', 'sent', 'given up']),
    alerts: z.number().int(),
    tries: z.number().int(),
    made_at: z.iso.datetime(),
    sent_at: z.iso.datetime().nullable(),
    next_try_at: z.iso.datetime().nullable(),
    outcome: z.string().nullable().openapi({ description: 'What the other side said last, or why it failed.' }),
  })
  .openapi('NotificationMessage');

const CHANNELS = '/api/v1/notifications/channels';
const RECIPIENTS = '/api/v1/notifications/recipients';
const RULES = '/api/v1/notifications/rules';
const noChannel = { 404: { description: 'No such channel.' } };
const noRecipient = { 404: { description: 'No such recipient.' } };
const routes = {
  channels: apiRoute('admin', {
    ...{ method: 'get', path: CHANNELS, tags, summary: 'The channels over which people are told' },
    responses: { 200: answer('Without their secrets.', z.object({ channels: z.array(ChannelSchema) })) },
  }),
  addChannel: apiRoute('admin', {
    ...{ method: 'post', path: CHANNELS, tags, summary: 'Add a channel' },
    request: { body: body(ChannelInput) },
    responses: { 201: answer('Added.', SavedChannel) },
  }),
  changeChannel: apiRoute('admin', {
    ...{ method: 'put', path: `${CHANNELS}/{id}`, tags, summary: 'Change a channel' },
    description:
      'What waits is tried again at once. A password is forgotten when the server, its encryption or its certificate changes.',
    request: { params, body: body(ChannelInput) },
    responses: { 200: answer('Changed.', SavedChannel), ...noChannel },
  }),
  removeChannel: apiRoute('admin', {
    ...{ method: 'delete', path: `${CHANNELS}/{id}`, tags, summary: 'Remove a channel with its recipients' },
    request: { params },
    responses: { 204: { description: 'Gone.' }, ...noChannel },
  }),
  testChannel: apiRoute('admin', {
    ...{ method: 'post', path: `${CHANNELS}/{id}/test`, tags, summary: 'Send a test message now' },
    request: {
      params,
      body: body(z.strictObject({ to: z.string().nullable().default(null).openapi({ example: 'anna@example.org' }) })),
    },
    responses: {
      200: answer(
        'What came of it, in words: also a failure is an answer.',
        z.object({ ok: z.boolean(), text: z.string(), took_ms: z.number().int() }).openapi('NotificationTest'),
      ),
      ...noChannel,
    },
  }),
  recipients: apiRoute('admin', {
    ...{ method: 'get', path: RECIPIENTS, tags, summary: 'Who is told, by step' },
    responses: { 200: answer('By step.', z.object({ recipients: z.array(RecipientSchema) })) },
  }),
  addRecipient: apiRoute('admin', {
    ...{ method: 'post', path: RECIPIENTS, tags, summary: 'Add a recipient' },
    request: { body: body(RecipientInput) },
    responses: { 201: answer('Added.', z.object({ id: z.uuid() })) },
  }),
  changeRecipient: apiRoute('admin', {
    ...{ method: 'put', path: `${RECIPIENTS}/{id}`, tags, summary: 'Change a recipient' },
    request: { params, body: body(RecipientInput) },
    responses: { 204: { description: 'Changed.' }, ...noRecipient },
  }),
  removeRecipient: apiRoute('admin', {
    ...{ method: 'delete', path: `${RECIPIENTS}/{id}`, tags, summary: 'Tell somebody no more' },
    request: { params },
    responses: { 204: { description: 'Gone.' }, ...noRecipient },
  }),
  rules: apiRoute('admin', {
    ...{ method: 'get', path: RULES, tags, summary: 'How alerts are gathered and escalated' },
    responses: { 200: answer('The rules.', RulesSchema) },
  }),
  saveRules: apiRoute('admin', {
    ...{ method: 'put', path: RULES, tags, summary: 'Change how alerts are gathered and escalated' },
    request: { body: body(RulesSchema) },
    responses: { 204: { description: 'Changed.' } },
  }),
  messages: apiRoute('admin', {
    ...{
      method: 'get',
      path: '/api/v1/notifications/messages',
      tags,
      summary: 'The last messages and what came of them',
    },
    request: { query: z.object({ limit: z.coerce.number().int().min(1).max(500).default(50) }) },
    responses: { 200: answer('Newest first.', z.object({ messages: z.array(MessageSchema) })) },
  }),
};

export function createNotificationsApi({ notify }: Pick<Services, 'notify'>) {
  const app = createApiApp();
  app.openapi(routes.channels, async (c) =>
    c.json({ channels: (await notify.channels(actorOf(c).tenant)).map(channelOf) }, 200),
  );
  app.openapi(routes.addChannel, async (c) =>
    c.json(await notify.saveChannel(actorOf(c), c.req.valid('json')), 201, { 'cache-control': 'no-store' }),
  );
  app.openapi(routes.changeChannel, async (c) =>
    c.json(await notify.saveChannel(actorOf(c), c.req.valid('json'), c.req.valid('param').id), 200, {
      'cache-control': 'no-store',
    }),
  );
  app.openapi(routes.removeChannel, async (c) => {
    await notify.removeChannel(actorOf(c), c.req.valid('param').id);
    return c.body(null, 204);
  });
  app.openapi(routes.testChannel, async (c) =>
    c.json(await notify.test(actorOf(c), c.req.valid('param').id, c.req.valid('json').to), 200),
  );
  app.openapi(routes.recipients, async (c) => {
    const recipients: Recipient[] = await notify.recipients(actorOf(c).tenant);
    return c.json({ recipients }, 200);
  });
  app.openapi(routes.addRecipient, async (c) =>
    c.json(await notify.saveRecipient(actorOf(c), c.req.valid('json')), 201),
  );
  app.openapi(routes.changeRecipient, async (c) => {
    await notify.saveRecipient(actorOf(c), c.req.valid('json'), c.req.valid('param').id);
    return c.body(null, 204);
  });
  app.openapi(routes.removeRecipient, async (c) => {
    await notify.removeRecipient(actorOf(c), c.req.valid('param').id);
    return c.body(null, 204);
  });
  app.openapi(routes.rules, async (c) => c.json(await notify.rules(actorOf(c).tenant), 200));
  app.openapi(routes.saveRules, async (c) => {
    await notify.saveRules(actorOf(c), c.req.valid('json'));
    return c.body(null, 204);
  });
  app.openapi(routes.messages, async (c) => {
    const found = await notify.messages(actorOf(c).tenant, c.req.valid('query').limit);
    const messages = found.map(({ recipient_name, channel_name, made_ms, sent_ms, next_try_ms, ...message }) => ({
      ...{ ...message, recipient: recipient_name, channel: channel_name, made_at: iso(made_ms) },
      sent_at: sent_ms === null ? null : iso(sent_ms),
      next_try_at: next_try_ms === null ? null : iso(next_try_ms),
    }));
    return c.json({ messages }, 200);
  });
  return app;
}

function channelOf({ settings, ...channel }: Channel) {
  return { ...channel, settings: { ...settings } };
}
