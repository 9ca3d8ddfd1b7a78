/** What went wrong with an Ollama server, in one of the kinds that the port knows and in words for people. */
import { InvalidDataError, ModelError, NotAllowedError } from '../../../engine/errors.ts';
import type { ModelFaultKind } from '../../../engine/ports.ts';

const REMEDIES: Partial<Record<ModelFaultKind, string>> = {
  unreachable: 'Check that Ollama runs, and its address in the configuration (ollama_url).',
  no_model: 'Pull the model under Admin, Language model, or name another (language_model).',
  busy: 'Ask again in a moment.',
  no_answer: 'A large model takes long to load; ask again, or choose a smaller one.',
  too_long: 'Ask a shorter question, or give the model a larger context (language_context).',
  schema: 'Choose a model that can write JSON, such as llama3.1:8b.',
};

export function modelError(fault: ModelFaultKind, message: string, cause?: unknown): ModelError {
  return new ModelError(fault, message, REMEDIES[fault], cause === undefined ? undefined : { cause });
}

/** An answer with a status that is no success. `said` is what the server wrote in it. */
export function errorOfStatus(status: number, said: string): ModelError {
  const words = `Ollama answers ${status}${said ? `: ${said}` : ''}.`;
  if (isTooLong(said)) return modelError('too_long', words);
  if (status === 404) return modelError('no_model', words);
  if (status === 503 || status === 429) return modelError('busy', words);
  return modelError(status >= 500 ? 'failed' : 'refused', words);
}

/** An error that the server tells in a line of its stream, under status 200. */
export function errorOfLine(said: string): ModelError {
  return modelError(isTooLong(said) ? 'too_long' : 'failed', `Ollama stopped in the middle: ${said.slice(0, 300)}`);
}

function isTooLong(said: string): boolean {
  return /(?:exceed|longer than|too (?:long|large)).{0,60}context|context (?:length|size|window).{0,40}exceed|prompt is too long/i.test(
    said,
  );
}

/** What a connection says when it fails. `began`: headers had come. */
export function errorOfConnection(error: unknown, began: boolean): ModelError {
  if (error instanceof ModelError) return error;
  const { message } = error as Error;
  if (error instanceof NotAllowedError || error instanceof InvalidDataError)
    return modelError('not_allowed', message, error);
  const code = codeOf(error);
  const words = code ? `${code}` : message;
  return began
    ? modelError('cut_off', `The connection to Ollama ended before the answer did (${words}).`, error)
    : modelError('unreachable', `Ollama cannot be reached (${words}).`, error);
}

/** The innermost code: ECONNREFUSED, UND_ERR_SOCKET … */
function codeOf(error: unknown): string | null {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'string') return code;
  }
  return null;
}
