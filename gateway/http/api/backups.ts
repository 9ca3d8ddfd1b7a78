/** Backups of the box: what there is, and one now. */
import { z } from '@hono/zod-openapi';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, iso } from '../api.ts';

const BackupSchema = z
  .object({
    id: z.string().openapi({ example: '000042_2026-03-01T02-30-00-000Z' }),
    made_at: z.iso.datetime(),
    took_s: z.number(),
    bytes: z.number().int(),
    rows: z.number().int().openapi({ description: 'Of all tables of the database and the series store.' }),
    keys: z.boolean().openapi({ description: 'Whether it holds the keys of the box, sealed with the passphrase.' }),
    database: z.boolean().openapi({ description: 'false: a Postgres of your own, which its operator backs up.' }),
    series: z.boolean().openapi({ description: 'false: a QuestDB of your own, which its operator backs up.' }),
  })
  .openapi('Backup');
const StateSchema = z
  .object({
    enabled: z.boolean(),
    folder: z.string(),
    same_disk: z.boolean().openapi({ description: 'On the disk of the box: whoever loses it loses both.' }),
    covered_until: z.iso.datetime().nullable().openapi({ description: 'The newest instant a restore brings back.' }),
    running_since: z.iso.datetime().nullable(),
    stale: z.boolean().openapi({ description: 'The newest is older than backup_stale_hours.' }),
    fault: z.string().nullable().openapi({ description: 'Why the last try failed; null while all is well.' }),
    backups: z.array(BackupSchema).openapi({ description: 'Newest first.' }),
  })
  .openapi('BackupState');

const tags = ['Operations'];
const list = apiRoute('admin', {
  method: 'get',
  path: '/api/v1/backups',
  tags,
  summary: 'The backups of the box',
  description:
    'As the backup folder held them when it was last reached. For admins of the organisation that the box belongs to.',
  responses: { 200: { description: 'Whole ones only.', content: { 'application/json': { schema: StateSchema } } } },
});
const make = apiRoute('admin', {
  method: 'post',
  path: '/api/v1/backups',
  tags,
  summary: 'Make a backup now',
  description:
    'Answers when it is on disk. 503 while another one is being made, and when it cannot be made. For admins of the organisation that the box belongs to.',
  request: {
    query: z.object({
      new_folder: z.stringbool().optional().openapi({
        description: 'Takes the backup folder though the backups that the box remembers there are gone (another disk).',
        example: 'false',
      }),
    }),
  },
  responses: { 201: { description: 'Made.', content: { 'application/json': { schema: BackupSchema } } } },
});

export function createBackupsApi({ backups }: Pick<Services, 'backups'>) {
  const app = createApiApp();
  app.openapi(list, (c) => {
    const state = backups.state(actorOf(c));
    const { enabled, folder, same_disk, covered_ms, running_since_ms, fault, stale } = state;
    return c.json(
      {
        ...{ enabled, folder, same_disk, stale, fault: fault?.text ?? null, backups: state.backups.map(shown) },
        covered_until: covered_ms === null ? null : iso(covered_ms),
        running_since: running_since_ms === null ? null : iso(running_since_ms),
      },
      200,
    );
  });
  app.openapi(make, async (c) => c.json(shown(await backups.make(actorOf(c), c.req.valid('query'))), 201));
  return app;
}

type Summary = Awaited<ReturnType<Services['backups']['make']>>;

function shown({ made_ms, took_ms, left_out: _, ...backup }: Summary): z.infer<typeof BackupSchema> {
  return { ...backup, made_at: iso(made_ms), took_s: took_ms / 1000 };
}
