/** What models think aloud is no answer. */
const OPEN = '<think';
const BLOCK = /<think(?:ing)?>[\s\S]*?<\/think(?:ing)?>/gi;
const UNCLOSED = /<think(?:ing)?>[\s\S]*$/i;
/** Templates that open the block themselves leave only its end. */
const ONLY_END = /^[\s\S]*<\/think(?:ing)?>/i;

/** `text` without blocks of thoughts; an open one goes to the end, so that nothing of it shows while it is streamed. */
export function withoutThoughts(text: string): string {
  const rest = text.replace(BLOCK, '').replace(ONLY_END, '').replace(UNCLOSED, '');
  // The beginning of a tag that is not complete yet.
  const at = rest.lastIndexOf('<');
  const isBeginning =
    at !== -1 && (OPEN.startsWith(rest.slice(at).toLowerCase()) || /^<\/?think\w*$/i.test(rest.slice(at)));
  return (isBeginning ? rest.slice(0, at) : rest).trimStart();
}
