/** Takes a table apart in a bounded process: readings of a file, its preview, a table of prices, a list of devices. */
import { type FileBatch, type FilePreview, previewFile, readFile } from '../../connectors/meters/csv/file.ts';
import type { FileMapping } from '../../connectors/meters/csv/guess.ts';
import { type CsvContext, decodePriceCsv } from '../../connectors/prices/csv.ts';
import type { PriceSeries } from '../../engine/model/price.ts';
import { decodeDeviceFile, type FileDevice } from '../services/devices/device-file-schema.ts';

export type UploadInput =
  | { kind: 'readings'; path: string; mapping?: FileMapping; time_zone: string | null }
  | { kind: 'preview'; path: string }
  | { kind: 'prices'; csv: string; context: CsvContext }
  | { kind: 'devices'; yaml: string };
export type UploadItem = FileBatch | FilePreview | PriceSeries | FileDevice[];

export default async function* readUpload(input: UploadInput): AsyncGenerator<UploadItem> {
  if (input.kind === 'readings') yield* readFile({ path: input.path }, input);
  else if (input.kind === 'preview') yield await previewFile({ path: input.path });
  else if (input.kind === 'prices') yield decodePriceCsv(input.csv, input.context);
  else yield decodeDeviceFile(input.yaml);
}
