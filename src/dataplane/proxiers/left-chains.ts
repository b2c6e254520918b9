import type { ProxierConfig } from './types.js';

/** Chains of Services that are loaded and that none uses, e.g. of a proxy before this one. */
export function leftChains(
  { loadedChains }: ProxierConfig,
  isServiceChain: (name: string) => boolean,
  used: () => readonly string[],
): string[] {
  const loaded = (loadedChains?.() ?? []).filter(isServiceChain);
  if (loaded.length === 0) return [];
  const kept = new Set(used());
  return loaded.filter(name => !kept.has(name));
}
