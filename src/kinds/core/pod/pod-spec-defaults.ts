import type { Container, PodSpec, Probe } from '../../../machinery/types.js';
import { aggregateResources } from '../../../machinery/pod-requests.js';
import { isLatestImage } from './image-defaults.js';

/** Container, init container or ephemeral container: they share all defaulted fields. */
type AnyContainer = Container;
type Volume = NonNullable<PodSpec['volumes']>[number];
type Handler = { httpGet?: { path?: string; scheme?: string } | undefined };

function defaultHandler(handler: Handler | undefined): void {
  const http = handler?.httpGet;
  if (http === undefined) return;
  http.path ||= '/';
  http.scheme ||= 'HTTP';
}

function defaultProbe(probe: Probe | undefined): void {
  if (probe === undefined) return;
  defaultHandler(probe);
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  // A *string in Go with a declared default: "" there means "the service named by the host".
  if (probe.grpc !== undefined) probe.grpc.service ??= '';
}

function defaultContainer(container: AnyContainer): void {
  for (const port of container.ports ?? []) port.protocol ||= 'TCP';
  for (const env of container.env ?? []) {
    const field = env.valueFrom?.fieldRef;
    if (field !== undefined) field.apiVersion ||= 'v1';
    const file = (env.valueFrom as { fileKeyRef?: { optional?: boolean } } | undefined)?.fileKeyRef;
    if (file !== undefined) file.optional ??= false;
  }
  container.terminationMessagePath ||= '/dev/termination-log';
  container.terminationMessagePolicy ||= 'File';
  container.imagePullPolicy ||= isLatestImage(container.image ?? '') ? 'Always' : 'IfNotPresent';
  defaultProbe(container.livenessProbe);
  defaultProbe(container.readinessProbe);
  defaultProbe(container.startupProbe);
  defaultHandler(container.lifecycle?.postStart);
  defaultHandler(container.lifecycle?.preStop);
}

const DEFAULT_MODE = 0o644;

function defaultDownwardItems(items: { fieldRef?: { apiVersion?: string } }[] | undefined): void {
  for (const item of items ?? []) if (item.fieldRef !== undefined) item.fieldRef.apiVersion ||= 'v1';
}

/** An optional source that says only its name is present: `{"name": "v"}` becomes an emptyDir. */
function defaultVolume(volume: Volume): void {
  const sources = Object.entries(volume).filter(([key, value]) => key !== 'name' && value !== undefined);
  if (sources.length === 0) volume.emptyDir = {};
  if (volume.secret !== undefined) volume.secret.defaultMode ??= DEFAULT_MODE;
  if (volume.configMap !== undefined) volume.configMap.defaultMode ??= DEFAULT_MODE;
  if (volume.downwardAPI !== undefined) {
    volume.downwardAPI.defaultMode ??= DEFAULT_MODE;
    defaultDownwardItems(volume.downwardAPI.items);
  }
  if (volume.projected !== undefined) {
    volume.projected.defaultMode ??= DEFAULT_MODE;
    for (const source of volume.projected.sources ?? []) {
      if (source.serviceAccountToken !== undefined) source.serviceAccountToken.expirationSeconds ??= 3600;
      defaultDownwardItems(source.downwardAPI?.items);
    }
  }
  if (volume.hostPath !== undefined) volume.hostPath.type ??= '';
  if (volume.ephemeral?.volumeClaimTemplate !== undefined)
    volume.ephemeral.volumeClaimTemplate.spec.volumeMode ??= 'Filesystem';
  if (volume.image !== undefined)
    volume.image.pullPolicy ||= isLatestImage(volume.image.reference ?? '') ? 'Always' : 'IfNotPresent';
  defaultLegacyVolume(volume);
}

/** Sources of long-gone providers still carry defaults in the served schema. */
function defaultLegacyVolume(volume: Volume): void {
  if (volume.iscsi !== undefined) volume.iscsi.iscsiInterface ||= 'default';
  if (volume.rbd !== undefined) {
    volume.rbd.pool ||= 'rbd';
    volume.rbd.user ||= 'admin';
    volume.rbd.keyring ||= '/etc/ceph/keyring';
  }
  if (volume.azureDisk !== undefined) {
    volume.azureDisk.cachingMode ??= 'ReadWrite';
    volume.azureDisk.fsType ??= 'ext4';
    volume.azureDisk.kind ??= 'Shared';
    volume.azureDisk.readOnly ??= false;
  }
  if (volume.scaleIO !== undefined) {
    volume.scaleIO.storageMode ||= 'ThinProvisioned';
    volume.scaleIO.fsType ||= 'xfs';
  }
}

/** Defaults of every PodSpec, in a Pod or in a template. Mutates. */
export function defaultPodSpec(spec: PodSpec): void {
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.restartPolicy ||= 'Always';
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= 'default-scheduler';
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else if (spec.serviceAccount) spec.serviceAccountName = spec.serviceAccount;
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const container of spec.initContainers ?? []) defaultContainer(container);
  for (const container of spec.containers ?? []) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container);
}

/** Defaults of the template part of a workload; a template without a spec gets one. */
export function defaultPodTemplate(template: { spec?: PodSpec } | undefined): void {
  if (template === undefined) return;
  template.spec ??= { containers: null as unknown as Container[] };
  defaultPodSpec(template.spec);
}

const isHugePage = (name: string): boolean => name.startsWith('hugepages-');
const isPodLevel = (name: string): boolean => name === 'cpu' || name === 'memory' || isHugePage(name);

/** A Pod's own resources, where it says any, are filled in from its containers': huge pages may not be overcommitted. */
function defaultPodResources({ resources, ...spec }: PodSpec): void {
  if (resources === undefined) return;
  const limits = { ...resources.limits };
  const requests = { ...resources.requests };
  const isSaid = Object.keys(limits).length > 0;
  if (!isSaid && Object.keys(requests).length === 0) return;
  for (const [name, value] of aggregateResources(spec, 'limits'))
    if (isHugePage(name) && requests[name] === undefined) limits[name] ??= value;
  if (Object.keys(limits).length === 0) return;
  resources.limits = limits;
  for (const [name, value] of aggregateResources(spec, 'requests'))
    if (isPodLevel(name) && !isHugePage(name)) requests[name] ??= value;
  for (const [name, value] of Object.entries(limits)) if (isPodLevel(name)) requests[name] ??= value;
  if (Object.keys(requests).length > 0) resources.requests = requests;
}

/**
 * Defaults of a Pod only. Requests follow limits here and not in templates, so that a template stays what its author
 * wrote: https://github.com/kubernetes/kubernetes/blob/v1.35.0/pkg/apis/core/v1/defaults.go
 */
export function defaultPod(spec: PodSpec): void {
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    const limits = container.resources?.limits;
    if (limits === undefined || container.resources === undefined) continue;
    container.resources.requests = { ...limits, ...container.resources.requests };
  }
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec.terminationGracePeriodSeconds = 1;
  defaultPodResources(spec);
  spec.enableServiceLinks ??= true;
  if (spec.hostNetwork !== true) return;
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])])
    for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
}
