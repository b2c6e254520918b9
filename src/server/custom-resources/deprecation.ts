import { byKubeVersion } from '../../machinery/kube-versions.js';
import { groupOf, versionsOf, type Definition, type Version } from './definition.js';

/** The Warning header of every request in a deprecated version. */
export function deprecationWarning(definition: Definition, version: Version): string | undefined {
  if (version.deprecated !== true) return undefined;
  if (version.deprecationWarning !== undefined) return version.deprecationWarning;
  const group = groupOf(definition);
  const kind = definition.spec?.names.kind ?? '';
  const [better] = versionsOf(definition)
    .filter(other => other.served && other.deprecated !== true && byKubeVersion(other.name, version.name) < 0)
    .map(({ name }) => name)
    .sort(byKubeVersion);
  const text = `${group}/${version.name} ${kind} is deprecated`;
  return better === undefined ? text : `${text}; use ${group}/${better} ${kind}`;
}
