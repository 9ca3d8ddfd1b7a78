/** A task that does what the test asks for. */
import { InvalidDataError } from '../../../../engine/errors.ts';

export default async function odd(input: { do: 'add' | 'refuse' | 'hang' | 'eat' | 'crash'; values?: Float64Array }) {
  if (input.do === 'refuse')
    throw new InvalidDataError('The page is scanned.', 'Upload text.', [{ where: 'page 1', problem: 'an image' }]);
  if (input.do === 'crash') throw new TypeError('a fault of ours');
  if (input.do === 'hang') for (;;);
  if (input.do === 'eat') for (const eaten: number[][] = []; ; ) eaten.push(new Array(1_000_000).fill(eaten.length));
  return (input.values ?? new Float64Array()).reduce((sum, value) => sum + value, 0);
}
