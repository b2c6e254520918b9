import type { StructType } from '../../machinery/schema.js';
import type { Strategy } from '../../api/strategy.js';
import { heavyExpressions } from '../validation/heavy-expressions.js';
import type { Definition } from './types.js';
import { checkChanged, checkNew, checkStatus, type DefinitionDeps } from './validation/definition.js';
import { definitionWarnings } from './warnings.js';

const FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

/** A version that objects are stored in is one that there may be objects of, until somebody says otherwise. */
function noteStorageVersion(definition: Definition): void {
  const version = (definition.spec?.versions ?? []).find(({ storage }) => storage === true)?.name;
  const status = (definition.status ??= {});
  const known = status.storedVersions ?? [];
  if (version !== undefined && !known.includes(version)) status.storedVersions = [...known, version];
}

function defaultDefinition(definition: Definition): void {
  const { spec, status } = definition;
  if (spec === undefined) return;
  const { plural = '', singular, shortNames, kind = '', listKind, categories } = spec.names ?? {};
  spec.names = {
    plural,
    singular: singular || kind.toLowerCase(),
    ...(shortNames === undefined ? {} : { shortNames }),
    kind,
    listKind: listKind || (kind === '' ? '' : `${kind}List`),
    ...(categories === undefined ? {} : { categories }),
  };
  spec.conversion ??= { strategy: 'None' };
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service !== undefined) service.port ??= 443;
  if ((status?.storedVersions ?? []).length === 0) noteStorageVersion(definition);
}

/**
 * What may be said of a custom resource. Who serves it, and says so in its conditions, is elsewhere.
 * `objectMeta`: Go's ObjectMeta, asked for when the first definition is checked.
 */
export function createCustomResourceDefinitionStrategy(objectMeta: () => StructType): Strategy<Definition> {
  let deps: DefinitionDeps | undefined;
  const known = (): DefinitionDeps => (deps ??= { objectMeta: objectMeta() });
  return {
    // Rules and patterns are compiled, and defaults are checked by the schemas that they are in.
    heavy: heavyExpressions(['rule', 'messageExpression'], 30),
    default: defaultDefinition,
    prepareForCreate(_ctx, definition) {
      definition.status = { conditions: null, acceptedNames: { plural: '', kind: '' }, storedVersions: null };
      noteStorageVersion(definition);
    },
    prepareForUpdate(_ctx, definition) {
      noteStorageVersion(definition);
    },
    validate: (_ctx, definition) => checkNew(definition, known()),
    validateUpdate: (_ctx, definition, old) => checkChanged(definition, old, known()),
    warnings: (_ctx, definition, old) => definitionWarnings(definition, old),
    markDeleting(definition) {
      const { metadata } = definition;
      const finalizers = metadata.finalizers ?? [];
      if (!finalizers.includes(FINALIZER)) metadata.finalizers = [...finalizers, FINALIZER];
    },
    finalized: () => true,
    subresources: {
      status: { kind: 'part', validateUpdate: (_ctx, definition) => checkStatus(definition) },
    },
  };
}
