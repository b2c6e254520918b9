import type { ContainerStatus } from '../../src/machinery/types.js';

export const container = (name: string, script: string, extra: object = {}) => ({
  name,
  image: 'busybox',
  command: ['sh', '-c', script],
  ...extra,
});

export const first = (statuses: readonly ContainerStatus[] | undefined): ContainerStatus => {
  const [status] = statuses ?? [];
  if (status === undefined) throw new Error('no container status');
  return status;
};
