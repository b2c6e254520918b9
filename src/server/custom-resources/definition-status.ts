import { isStatusError } from '../../machinery/status.js';
import type { Objects, RequestContext } from '../../api/strategy.js';
import { DEFINITIONS, type CustomResourceDefinition, type Definition } from './definition.js';

export interface DefinitionWriter {
  get(name: string): Definition | undefined;
  list(): Iterable<Definition>;
  /** Changes the status of a definition that is still the one with this uid; one that is gone is left alone. */
  updateStatus(definition: Definition, change: (definition: CustomResourceDefinition) => void): Promise<void>;
  /** As updateStatus, of anything, as part of the definition's deletion: generation and managedFields stay. */
  finalize(definition: Definition, change: (definition: CustomResourceDefinition) => void): Promise<void>;
}

class Gone extends Error {}

export function createDefinitionWriter(objects: Objects, ctx: RequestContext): DefinitionWriter {
  const update = async (
    definition: Definition,
    subresource: string,
    change: (definition: CustomResourceDefinition) => void,
  ): Promise<void> => {
    const { name = '', uid } = definition.metadata;
    try {
      await objects.update(
        ctx,
        DEFINITIONS,
        { namespace: '', name },
        object => {
          if (object.metadata.uid !== uid) throw new Gone();
          change(object);
        },
        { subresource },
      );
    } catch (error) {
      if (!(error instanceof Gone) && !isStatusError(error, 'NotFound')) throw error;
    }
  };
  return {
    get: name => objects.get(DEFINITIONS, { namespace: '', name }),
    list: () => objects.list(DEFINITIONS) as Iterable<Definition>,
    updateStatus: (definition, change) => update(definition, 'status', change),
    finalize: (definition, change) => update(definition, 'finalize', change),
  };
}
