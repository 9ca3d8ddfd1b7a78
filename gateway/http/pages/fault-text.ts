/** Why a device could not be read, in the reader's language where the sentence is one of ours. */
import type { FaultWords } from '../../../engine/errors.ts';
import type { Ui } from '../../../web/ui.ts';

/** Each sentence has some of these gaps. */
const NOTHING = { host: '', name: '', path: '', port: '', reason: '', status: '', unit: '', where: '' };

export function faultText({ text, words }: { text: string; words?: FaultWords }, { t }: Ui): string {
  return words ? t(`fault.${words.code}`, { ...NOTHING, ...words.params }) : text;
}
