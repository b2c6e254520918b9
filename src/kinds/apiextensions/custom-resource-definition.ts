import { StatusError } from '../../machinery/status.js';
import type { Strategy } from '../../api/strategy.js';

const RESOURCE = { group: 'apiextensions.k8s.io', kind: 'customresourcedefinitions' };

/**
 * Nothing serves what a definition defines, so none is taken: who got a "created" would wait for ever for it to be
 * Established. The kind itself is there, for clients that look which definitions exist.
 */
export const customResourceDefinitionStrategy: Strategy = {
  prepareForCreate(_ctx, { metadata: { name = '' } }) {
    throw new StatusError(
      405,
      'MethodNotAllowed',
      `${RESOURCE.kind}.${RESOURCE.group} "${name}" cannot be created: custom resources are not served by this server`,
      { ...RESOURCE, ...(name === '' ? {} : { name }) },
    );
  },
};
