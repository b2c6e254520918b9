import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { RestClient } from '../../src/client/rest-client.js';
import type { ResourceRef } from '../../src/client/types.js';
import type { Deployment, KubeObject, StatefulSet } from '../../src/machinery/types.js';

/** A file of manifests, by its name without the ending. */
export interface Application {
  readonly name: string;
  readonly objects: readonly KubeObject[];
}

/** The applications of a folder, sorted by name. @throws Error when one is no YAML */
export const applicationsIn = (folder: string): Application[] =>
  readdirSync(folder)
    .filter(file => file.endsWith('.yaml'))
    .sort()
    .map(file => ({ name: file.replace(/\.yaml$/, ''), objects: readObjects(join(folder, file)) }));

function readObjects(path: string): KubeObject[] {
  return parseAllDocuments(readFileSync(path, 'utf8')).map(document => {
    const [problem] = document.errors;
    if (problem !== undefined) throw new Error(`${path}: ${problem.message}`);
    return document.toJS() as KubeObject;
  });
}

/** Applies objects in their order, as `kubectl apply --server-side` does. @throws StatusError */
export async function applyAll(client: RestClient, objects: readonly KubeObject[]): Promise<void> {
  for (const object of objects) {
    const { apiVersion = '', kind = '', metadata } = object;
    const ref = await resourceOf(client, apiVersion, kind);
    const namespace = ref.namespaced ? (metadata.namespace ?? 'default') : '';
    await client
      .resource(ref)
      .patch({ namespace, name: metadata.name ?? '' }, object, { type: 'apply', fieldManager: 'applications' });
  }
}

interface Discovered {
  readonly resources: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

async function resourceOf(client: RestClient, apiVersion: string, kind: string): Promise<ResourceRef> {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  const path = group === '' ? `/api/${version}` : `/apis/${apiVersion}`;
  const { resources } = (await client.request('GET', path)) as Discovered;
  const found = resources.find(resource => resource.kind === kind && !resource.name.includes('/'));
  if (found === undefined) throw new Error(`no resource of ${apiVersion} ${kind}`);
  return { group, version, resource: found.name, namespaced: found.namespaced };
}

/** Whether all replicas are there, of the newest template, and ready. */
export const isRolledOut = ({ metadata, spec, status }: Deployment | StatefulSet): boolean =>
  status?.observedGeneration === metadata.generation &&
  status?.readyReplicas === (spec?.replicas ?? 1) &&
  status.updatedReplicas === status.readyReplicas &&
  status.replicas === status.readyReplicas;
