/** `describe.skipIf(!hasChromium)(…)`, then `const browser = await launchChromium()`. */
import { type Browser, chromium } from 'playwright-core';

export const hasChromium = Boolean(process.env.LUNA_TEST_CHROMIUM);

const QUIET = [
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launchChromium(): Promise<Browser> {
  // Chromium refuses to sandbox itself as root, as in most CI machines and containers.
  const asRoot = process.getuid?.() === 0;
  return chromium.launch({
    executablePath: process.env.LUNA_TEST_CHROMIUM ?? '',
    chromiumSandbox: !asRoot,
    args: QUIET,
  });
}
