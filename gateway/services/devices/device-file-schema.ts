/** The layout of a file of devices, and its reading: pure, so that it can be done in a bounded process. */
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { InvalidDataError } from '../../../engine/errors.ts';

const MOST_DEVICES = 1000;

const FileSchema = z.strictObject({
  devices: z
    .array(
      z.strictObject({
        id: z.string(),
        name: z.string().optional(),
        profile: z.string().nullable().default(null),
        connection: z.looseObject({ kind: z.string() }),
        enabled: z.boolean().default(true),
        points: z
          .array(
            z.strictObject({
              channel: z.string(),
              id: z.string().optional(),
              name: z.string().optional(),
              role: z.enum(['grid', 'generation', 'battery', 'load', 'sub-meter']).optional(),
              parent: z.string().nullable().optional(),
              skip: z.boolean().optional(),
            }),
          )
          .optional(),
      }),
    )
    .max(MOST_DEVICES),
});
export type FileDevice = z.output<typeof FileSchema>['devices'][number];

/** @throws InvalidDataError when the text is no such file. */
export function decodeDeviceFile(text: string): FileDevice[] {
  let raw: unknown;
  try {
    raw = parseYaml(text);
  } catch (error) {
    throw new InvalidDataError(
      `The file is no valid YAML: ${(error as Error).message}`,
      'Mend the line that is named.',
    );
  }
  const parsed = FileSchema.safeParse(raw);
  if (parsed.success) return parsed.data.devices;
  const faults = parsed.error.issues.map((issue) => ({ where: issue.path.join('.'), problem: issue.message }));
  throw new InvalidDataError(
    `The file has faults: ${faults.map(({ where, problem }) => `${where}: ${problem}`).join('; ')}`,
    'GET /api/v1/devices.yaml shows the layout.',
    faults,
  );
}
