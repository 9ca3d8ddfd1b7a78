/** Where the binaries of the backend in WebAssembly lie. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export function wasmFolder(): string {
  const manifest = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json');
  return join(dirname(manifest), 'dist');
}
