import { discoverPreferred, type DiscoveredResource } from '../client/discovery.js';
import type { Client, ResourceRef } from '../client/types.js';

/** Finds what names of resources stand for. Asks the server, and once more for a name that it has not heard of. */
export interface ResourceNames {
  /** By apiVersion and kind. @throws Error when nothing serves it */
  ofKind(apiVersion: string, kind: string): Promise<ResourceRef>;
  /** As kubectl has them: "deployment", "deployments.apps", "widget.example.com", "po". @throws Error */
  ofName(name: string): Promise<ResourceRef>;
}

export function createResourceNames(client: Client): ResourceNames {
  let known: readonly DiscoveredResource[] = [];
  const find = async (what: string, is: (resource: DiscoveredResource) => boolean): Promise<DiscoveredResource> => {
    let found = known.find(is);
    if (found === undefined) {
      known = (await discoverPreferred(client)).resources;
      found = known.find(is);
    }
    if (found === undefined) throw new Error(`the server has no resource ${what}`);
    return found;
  };
  return {
    async ofKind(apiVersion, kind) {
      const slash = apiVersion.indexOf('/');
      const [group, version] = slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
      const { ref } = await find(
        `${kind} in ${apiVersion}`,
        resource => resource.ref.group === group && resource.kind === kind && resource.versions.includes(version),
      );
      return { ...ref, version };
    },
    async ofName(name) {
      const lower = name.toLowerCase();
      const dot = lower.indexOf('.');
      const [first, group] = dot < 0 ? [lower, undefined] : [lower.slice(0, dot), lower.slice(dot + 1)];
      const { ref } = await find(
        JSON.stringify(name),
        ({ ref: { resource, group: its }, kind, shortNames = [] }) =>
          (group === undefined || group === its) &&
          (first === resource ||
            first === kind.toLowerCase() ||
            `${first}s` === resource ||
            shortNames.includes(first)),
      );
      return ref;
    },
  };
}
