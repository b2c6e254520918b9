import type { Container, DeepReadonly, PodSpec } from '../../../../machinery/types.js';
import type { PodClaims } from './resources.js';
import type { Volume } from './volume-check.js';

/** Every list of containers that a Pod has, in the order in which upstream visits them. */
export const CONTAINER_LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const;

export type ReadonlyContainer = DeepReadonly<Container>;

/** What a container's checks need of its Pod. */
export interface ContainerContext {
  readonly spec: DeepReadonly<PodSpec>;
  readonly volumes: ReadonlyMap<string, Volume>;
  readonly claims: PodClaims;
  readonly isPod: boolean;
}

export const isSidecar = (container: { readonly restartPolicy?: string | undefined }): boolean =>
  container.restartPolicy === 'Always';
