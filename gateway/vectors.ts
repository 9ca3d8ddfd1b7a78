/**
 * `node gateway/vectors.ts save|restore qdrant://… FOLDER`: the collections of the box's Qdrant as files for the backup of
 * the appliance, and back. Needs no running box. Exit status 0: done.
 */
import { restoreSnapshots, saveSnapshots } from '../connectors/passages/qdrant/snapshots.ts';

const WORDS = { save: saveSnapshots, restore: restoreSnapshots } as const;

if (import.meta.main) {
  const [word = '', url = '', folder = ''] = process.argv.slice(2);
  const work = word in WORDS ? WORDS[word as keyof typeof WORDS] : null;
  if (!work || !/^qdrants?:\/\//.test(url) || folder === '') {
    process.stderr.write('usage: vectors.ts save|restore qdrant://host:6333 FOLDER\n');
    process.exit(2);
  }
  await work({ url }, folder).then(
    ({ collections }) => process.stdout.write(`${collections.length} collections of Qdrant\n`),
    (error: Error) => {
      process.stderr.write(`luna: ${error.message}\n`);
      process.exitCode = 1;
    },
  );
}
