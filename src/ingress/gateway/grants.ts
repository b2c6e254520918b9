import { GATEWAY_GROUP } from './resources.js';
import type { ReferenceGrant } from './types.js';

/** Who names something in another namespace, and what. */
export interface Reference {
  readonly from: { readonly kind: 'Gateway' | 'HTTPRoute'; readonly namespace: string };
  /** Of the core group. */
  readonly to: { readonly kind: 'Secret' | 'Service'; readonly namespace: string; readonly name: string };
}

/** Whether it may: in its own namespace anybody may, elsewhere who is there has to have allowed it. */
export function isGranted({ from, to }: Reference, grants: Iterable<ReferenceGrant>): boolean {
  if (from.namespace === to.namespace) return true;
  for (const { metadata, spec } of grants) {
    if (metadata.namespace !== to.namespace) continue;
    const trusts = spec?.from?.some(
      each => each.group === GATEWAY_GROUP && each.kind === from.kind && each.namespace === from.namespace,
    );
    const shows = spec?.to?.some(
      each =>
        each.group === '' && each.kind === to.kind && (each.name ?? '') === (each.name === undefined ? '' : to.name),
    );
    if (trusts === true && shows === true) return true;
  }
  return false;
}
