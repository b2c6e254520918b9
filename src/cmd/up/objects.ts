import { basename } from 'node:path';
import type { RestClient } from '../../client/rest-client.js';
import { realRandom } from '../../machinery/random.js';
import { applyOne, inOrderOfApplying, isDefinition, isNamespace } from '../../testing/apply.js';
import { createClusterApi } from '../../testing/cluster-api.js';
import { readObjects } from '../../testing/documents.js';
import { createResourceNames } from '../../testing/resource-names.js';
import type { ApiObject } from '../../testing/types.js';
import { Problems } from '../process.js';

/** Who has set the fields of what is applied at a start. */
const FIELD_MANAGER = 'kubette-up';

interface Sourced {
  readonly object: ApiObject;
  /** Where it stands; undefined: in the configuration itself. */
  readonly source: string | undefined;
}

/**
 * Applies what `up` was told to, definitions and namespaces first. All of it is tried.
 * @returns how many objects
 * @throws Problems naming each object that was refused, and why; DocumentError when a file cannot be read
 */
export async function applyObjects(
  client: RestClient,
  sources: readonly (string | ApiObject)[],
  controllers: string,
): Promise<number> {
  const accounts = makesServiceAccounts(controllers.split(','));
  const found: Sourced[] = [];
  for (const source of sources)
    for (const object of await readObjects(source))
      found.push({ object, source: typeof source === 'string' ? source : undefined });
  const names = createResourceNames(client);
  const api = createClusterApi({ client, uuid: () => realRandom.uuid(), hasControllers: true });
  const problems: string[] = [];
  // What comes next may need it; when it does not come, that says why it cannot be applied.
  const settled = async ({ object }: Sourced): Promise<void> => {
    const { name = '' } = object.metadata ?? {};
    if (isDefinition(object)) await api.waitFor(`customresourcedefinition/${name}`, 'Established', { timeout: '10s' });
    if (isNamespace(object) && accounts) await api.defaultServiceAccount(name);
  };
  if (accounts) await api.defaultServiceAccount('default');
  for (const one of inOrderOfApplying(found, ({ object }) => object)) {
    try {
      await applyOne(one.object, { namespace: 'default', force: true, fieldManager: FIELD_MANAGER }, { client, names });
      await settled(one);
    } catch (error) {
      problems.push(`${titleOf(one)}: ${(error as Error).message.split('\n')[0] ?? ''}`);
    }
  }
  if (problems.length > 0) throw new Problems(problems);
  return found.length;
}

/** Without the ServiceAccount of a namespace no Pod is admitted to it. */
const makesServiceAccounts = (controllers: readonly string[]): boolean => {
  const names = ['serviceaccount', 'serviceaccount-controller'];
  return (
    names.some(name => controllers.includes(name)) ||
    (controllers.includes('*') && !names.some(name => controllers.includes(`-${name}`)))
  );
};

function titleOf({ object, source }: Sourced): string {
  const { kind = '', metadata: { namespace, name = '' } = {} } = object;
  const from = source === undefined ? '' : ` (${basename(source)})`;
  return `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}${from}`;
}
