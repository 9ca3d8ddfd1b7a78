/** A file or body that is small to send and large to take apart, or that never ends. */
export type Bomb = {
  name: string;
  path: string;
  /** Left out for forms, which name their own. */
  type?: string;
  body: Uint8Array | FormData;
  /** Taken in and read in the background: its state is asked afterwards. */
  document?: true;
};

export const MB = 1_000_000;
export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export function documentBomb(name: string, file: string, body: Uint8Array): Bomb {
  const form = new FormData();
  form.set('file', new File([new Uint8Array(body)], file));
  form.set('title', name);
  return { name, path: '/api/v1/documents', body: form, document: true };
}

export function bodyBomb(name: string, path: string, type: string, body: Uint8Array | string): Bomb {
  return { name, path, type, body: typeof body === 'string' ? bytesOf(body) : body };
}
