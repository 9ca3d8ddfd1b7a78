import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openFolderFiles } from '../../../connectors/files/folder.ts';
import { fileStoreContract } from '../../contracts/files.ts';

describe('files in a folder', () => {
  const home = mkdtempSync(join(tmpdir(), 'luna-files-'));
  afterAll(() => rmSync(home, { recursive: true, force: true }));
  fileStoreContract(() => openFolderFiles({ dir: join(home, 'contract') }));

  it('writes only inside its folder, and leaves no drafts', async () => {
    const dir = join(home, 'inside');
    const files = await openFolderFiles({ dir });
    await files.write('default', '../../escape', new Uint8Array([1]));
    expect(readdirSync(dir)).toEqual(['default']);
    expect(readdirSync(join(dir, 'default'))).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
  });

  it('removes what a kill left half written', async () => {
    const dir = join(home, 'killed');
    mkdirSync(join(dir, 'default'), { recursive: true });
    writeFileSync(join(dir, 'default', '.draft-1'), 'half');
    await openFolderFiles({ dir });
    expect(readdirSync(join(dir, 'default'))).toEqual([]);
  });
});
