import { joinHostPort } from '../../machinery/ip.js';
import type { DeepReadonly, Service } from '../../machinery/types.js';
import { resolvePath } from '../../containers/file-system.js';
import { envFileValue } from './env-file.js';
import { fieldValue, resourceValue, type PodAddresses } from './field-ref.js';
import type { Sources } from './sources.js';
import type { SetUpVolume, SetUpVolumes } from './volumes/set-up-volume.js';
import type { ReadonlyContainer, ReadonlyPod } from './types.js';

type FileKeyRef = NonNullable<NonNullable<NonNullable<ReadonlyContainer['env']>[number]['valueFrom']>['fileKeyRef']>;

/** A container that cannot be configured: reason CreateContainerConfigError. */
export class ContainerConfigError extends Error {
  override readonly name = 'ContainerConfigError';
}

export interface EnvironmentInput {
  readonly pod: ReadonlyPod;
  readonly container: ReadonlyContainer;
  readonly addresses: PodAddresses;
  readonly services: Iterable<DeepReadonly<Service>>;
  readonly sources: Sources;
  readonly allocatable: Readonly<Record<string, string>>;
  /** The volumes of the Pod, for the files that variables are read from. */
  readonly volumes: SetUpVolumes;
  /** What the image and the runtime set. */
  readonly base: Readonly<Record<string, string>>;
}

/** "my-app" to "MY_APP". */
const envName = (name: string): string => name.toUpperCase().replace(/-/g, '_');

const hasClusterIP = (service: DeepReadonly<Service>): boolean =>
  service.spec?.clusterIP !== undefined && service.spec.clusterIP !== '' && service.spec.clusterIP !== 'None';

/** The variables of the Docker links scheme, for every Service of the namespace (kubelet envvars.FromServices). */
export function serviceEnvironment(
  services: Iterable<DeepReadonly<Service>>,
  namespace: string,
  links: boolean,
): Record<string, string> {
  const chosen = new Map<string, DeepReadonly<Service>>();
  for (const service of services) {
    if (!hasClusterIP(service)) continue;
    const { name = '', namespace: own } = service.metadata;
    const isMaster = own === 'default' && name === 'kubernetes';
    // The API server's own Service is there in every namespace, unless one of that name is nearer.
    if (isMaster ? chosen.has(name) : !(links && own === namespace)) continue;
    chosen.set(name, service);
  }
  const env: Record<string, string> = {};
  for (const [name, { spec }] of [...chosen].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const prefix = envName(name);
    const host = spec?.clusterIP ?? '';
    const ports = spec?.ports ?? [];
    env[`${prefix}_SERVICE_HOST`] = host;
    env[`${prefix}_SERVICE_PORT`] = String(ports[0]?.port ?? '');
    for (const port of ports)
      if (port.name !== undefined && port.name !== '')
        env[`${prefix}_SERVICE_PORT_${envName(port.name)}`] = String(port.port);
    ports.forEach((port, i) => {
      const protocol = port.protocol ?? 'TCP';
      const url = `${protocol.toLowerCase()}://${joinHostPort(host, port.port)}`;
      const own = `${prefix}_PORT_${port.port}_${protocol}`;
      if (i === 0) env[`${prefix}_PORT`] = url;
      env[own] = url;
      env[`${own}_PROTO`] = protocol.toLowerCase();
      env[`${own}_PORT`] = String(port.port);
      env[`${own}_ADDR`] = host;
    });
  }
  return env;
}

/** Replaces $(NAME) where the name is known; $$(NAME) stays as $(NAME) (third_party/forked/golang/expansion). */
export function expandReferences(text: string, env: Readonly<Record<string, string>>): string {
  // Behind the last bracket no reference is closed, so that none is looked for to the end of the text.
  const closed = text.lastIndexOf(')') + 1;
  const references = text.slice(0, closed).replace(/\$(?:(\$)|\(([^)]*)\))/g, (match, dollar, name: string) => {
    if (dollar === '$') return '$';
    return env[name] ?? match;
  });
  return references + text.slice(closed).replaceAll('$$', () => '$');
}

/** The whole environment of a container, as the kubelet makes it. @throws ContainerConfigError */
export async function makeEnvironment(input: EnvironmentInput): Promise<Record<string, string>> {
  const { pod, container, addresses, services, sources, allocatable, volumes, base } = input;
  const namespace = pod.metadata.namespace ?? '';
  const links = serviceEnvironment(services, namespace, pod.spec?.enableServiceLinks !== false);
  const env: Record<string, string> = {};

  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef !== undefined) {
      const found = await sources.configMap(namespace, configMapRef.name ?? '');
      if (found === undefined && configMapRef.optional !== true)
        throw new ContainerConfigError(`configmap "${configMapRef.name ?? ''}" not found`);
      for (const [key, value] of Object.entries(found?.data ?? {})) env[prefix + key] = value;
    }
    if (secretRef !== undefined) {
      const found = await sources.secret(namespace, secretRef.name ?? '');
      if (found === undefined && secretRef.optional !== true)
        throw new ContainerConfigError(`secret "${secretRef.name ?? ''}" not found`);
      for (const [key, value] of Object.entries(found?.data ?? {})) env[prefix + key] = decode(value);
    }
  }

  for (const variable of container.env ?? []) {
    const value = await valueOf(variable);
    if (value !== undefined) env[variable.name] = value;
  }
  return { ...base, ...links, ...env };

  async function fromFile(ref: FileKeyRef): Promise<string | undefined> {
    const { volumeName, path, key, optional } = ref;
    const volume = volumes.get(volumeName);
    if (volume === undefined)
      throw new ContainerConfigError(`cannot find the volume ${JSON.stringify(volumeName)} referenced by FileKeyRef`);
    const content = await readFile(volume, path);
    let value: string;
    try {
      if (content === undefined) throw new Error('there is no such file');
      value = envFileValue(content, key);
    } catch (error) {
      throw new ContainerConfigError("couldn't parse env file", { cause: error });
    }
    if (value !== '') return value;
    if (optional === true) return undefined;
    const file = `/var/lib/kubelet/pods/${pod.metadata.uid ?? ''}/volumes/kubernetes.io~empty-dir/${volumeName}/${path}`;
    throw new ContainerConfigError(
      `environment variable key ${JSON.stringify(key)} not found in file ${JSON.stringify(file)}`,
    );
  }

  async function valueOf(variable: NonNullable<ReadonlyContainer['env']>[number]): Promise<string | undefined> {
    const from = variable.valueFrom;
    if (from === undefined || variable.value !== undefined)
      return expandReferences(variable.value ?? '', { ...links, ...env });
    if (from.fieldRef !== undefined) {
      const value = fieldValue(pod, from.fieldRef.fieldPath, addresses);
      if (value === undefined) throw new ContainerConfigError(`unsupported fieldPath: ${from.fieldRef.fieldPath}`);
      return value;
    }
    if (from.resourceFieldRef !== undefined) {
      const { resource, divisor, containerName } = from.resourceFieldRef;
      const owner = pod.spec?.containers.find(c => c.name === containerName) ?? container;
      return resourceValue(owner, resource, divisor, allocatable);
    }
    if (from.configMapKeyRef !== undefined) {
      const { name = '', key, optional } = from.configMapKeyRef;
      const found = await sources.configMap(namespace, name);
      const value = found?.data?.[key];
      if (value !== undefined || optional === true) return value;
      throw new ContainerConfigError(
        found === undefined
          ? `configmap "${name}" not found`
          : `couldn't find key ${key} in ConfigMap ${namespace}/${name}`,
      );
    }
    if (from.secretKeyRef !== undefined) {
      const { name = '', key, optional } = from.secretKeyRef;
      const found = await sources.secret(namespace, name);
      const value = found?.data?.[key];
      if (value !== undefined) return decode(value);
      if (optional === true) return undefined;
      throw new ContainerConfigError(
        found === undefined ? `secret "${name}" not found` : `couldn't find key ${key} in Secret ${namespace}/${name}`,
      );
    }
    if (from.fileKeyRef !== undefined) return fromFile(from.fileKeyRef);
    throw new ContainerConfigError(`env ${variable.name} has a source that this node does not know`);
  }
}

/** A file of a volume; links in it lead nowhere else. */
async function readFile({ tree, at }: SetUpVolume, path: string): Promise<string | undefined> {
  const entry = tree.files.get(resolvePath('/', `${at}/${resolvePath('/', path)}`));
  if (entry === undefined) return undefined;
  const { content } = entry;
  return (typeof content === 'function' ? await content() : content).toString('utf8');
}

const decode = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');
