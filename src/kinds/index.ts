import { loadApi } from '../api/load.js';
import type { Strategy } from '../api/strategy.js';
import type { StructType } from '../machinery/schema.js';
import {
  validatingAdmissionPolicyBindingStrategy,
  validatingAdmissionPolicyStrategy,
} from './admissionregistration/admission-policy.js';
import { apiServiceStrategy } from './apiregistration/api-service.js';
import { certificateSigningRequestStrategy } from './certificates/certificate-signing-request.js';
import { componentStatusStrategy } from './core/component-status.js';
import { configMapStrategy, secretStrategy } from './core/config.js';
import { controllerRevisionStrategy } from './apps/controller-revision.js';
import { cronJobStrategy } from './batch/cron-job.js';
import { daemonSetStrategy } from './apps/daemon-set.js';
import { deploymentStrategy } from './apps/deployment.js';
import { csiDriverStrategy } from './storage/csi-driver.js';
import { csiNodeStrategy } from './storage/csi-node.js';
import { csiStorageCapacityStrategy } from './storage/csi-storage-capacity.js';
import { volumeAttachmentStrategy } from './storage/volume-attachment.js';
import type { KindDeps } from './deps.js';
import { endpointSliceStrategy } from './discovery/endpoint-slice.js';
import { endpointsStrategy } from './core/endpoints.js';
import { coreEventStrategy, eventsEventStrategy } from './core/event.js';
import { flowSchemaStrategy } from './flowcontrol/flow-schema.js';
import { priorityLevelConfigurationStrategy } from './flowcontrol/priority-level-configuration.js';
import { horizontalPodAutoscalerV1Strategy } from './autoscaling/hpa-v1.js';
import { horizontalPodAutoscalerStrategy } from './autoscaling/hpa.js';
import { ingressClassStrategy, ingressStrategy } from './networking/ingress.js';
import { ipAddressStrategy, serviceCidrStrategy } from './networking/ip-address.js';
import { jobStrategy } from './batch/job.js';
import { leaseStrategy } from './coordination/lease.js';
import { createLimitRangeStrategy } from './core/limit-range.js';
import { namespaceStrategy } from './core/namespace.js';
import { networkPolicyStrategy } from './networking/network-policy.js';
import { nodeStrategy } from './core/node.js';
import { podDisruptionBudgetStrategy } from './policy/pod-disruption-budget.js';
import { persistentVolumeClaimStrategy } from './core/persistent-volume-claim.js';
import { persistentVolumeStrategy } from './core/persistent-volume.js';
import { podStrategy } from './core/pod/pod.js';
import { clusterRoleBindingStrategy, clusterRoleStrategy, roleBindingStrategy, roleStrategy } from './rbac/rbac.js';
import { podTemplateStrategy } from './core/pod-template.js';
import { priorityClassStrategy } from './scheduling/priority-class.js';
import { replicaSetStrategy } from './apps/replica-set.js';
import { replicationControllerStrategy } from './core/replication-controller.js';
import {
  deviceClassStrategy,
  resourceClaimStrategy,
  resourceClaimTemplateStrategy,
} from './resource/resource-claim.js';
import { resourceSliceStrategy } from './resource/resource-slice.js';
import { resourceQuotaStrategy } from './core/resource-quota.js';
import { createReviewStrategies } from './authorization/reviews.js';
import { runtimeClassStrategy } from './node/runtime-class.js';
import { createCustomResourceDefinitionStrategy } from './apiextensions/custom-resource-definition.js';
import { createServiceAccountStrategy } from './core/service-account.js';
import { createServiceStrategy } from './core/service.js';
import {
  mutatingWebhookConfigurationStrategy,
  validatingWebhookConfigurationStrategy,
} from './admissionregistration/webhook-configuration.js';
import { storageClassStrategy, volumeAttributesClassStrategy } from './storage/storage-class.js';
import { statefulSetStrategy } from './apps/stateful-set.js';

/** What is needed for few objects is read when one comes. */
function objectMeta(): StructType {
  const type = loadApi().type('meta.v1.ObjectMeta');
  if (type === undefined) throw new Error('api-schemas/ has no ObjectMeta');
  return type;
}

/**
 * What the built-in kinds do beyond their data, by resourceId ("deployments.apps"), with the version
 * ("horizontalpodautoscalers.autoscaling/v1") where versions differ. A kind that is only data is not here.
 */
export function createStrategies(deps: KindDeps): Record<string, Strategy> {
  return {
    componentstatuses: componentStatusStrategy,
    configmaps: configMapStrategy,
    endpoints: endpointsStrategy,
    events: coreEventStrategy,
    limitranges: createLimitRangeStrategy(deps),
    namespaces: namespaceStrategy,
    nodes: nodeStrategy,
    persistentvolumeclaims: persistentVolumeClaimStrategy,
    persistentvolumes: persistentVolumeStrategy,
    pods: podStrategy,
    podtemplates: podTemplateStrategy,
    replicationcontrollers: replicationControllerStrategy,
    resourcequotas: resourceQuotaStrategy,
    secrets: secretStrategy,
    serviceaccounts: createServiceAccountStrategy(deps),
    services: createServiceStrategy(deps),
    'mutatingwebhookconfigurations.admissionregistration.k8s.io': mutatingWebhookConfigurationStrategy,
    'validatingadmissionpolicies.admissionregistration.k8s.io': validatingAdmissionPolicyStrategy,
    'validatingadmissionpolicybindings.admissionregistration.k8s.io': validatingAdmissionPolicyBindingStrategy,
    'validatingwebhookconfigurations.admissionregistration.k8s.io': validatingWebhookConfigurationStrategy,
    'customresourcedefinitions.apiextensions.k8s.io': createCustomResourceDefinitionStrategy(objectMeta),
    'apiservices.apiregistration.k8s.io': apiServiceStrategy,
    'controllerrevisions.apps': controllerRevisionStrategy,
    'daemonsets.apps': daemonSetStrategy,
    'deployments.apps': deploymentStrategy,
    'replicasets.apps': replicaSetStrategy,
    'statefulsets.apps': statefulSetStrategy,
    'flowschemas.flowcontrol.apiserver.k8s.io': flowSchemaStrategy,
    'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io': priorityLevelConfigurationStrategy,
    'horizontalpodautoscalers.autoscaling/v1': horizontalPodAutoscalerV1Strategy,
    'horizontalpodautoscalers.autoscaling': horizontalPodAutoscalerStrategy,
    'cronjobs.batch': cronJobStrategy,
    'jobs.batch': jobStrategy,
    'certificatesigningrequests.certificates.k8s.io': certificateSigningRequestStrategy,
    'leases.coordination.k8s.io': leaseStrategy,
    'endpointslices.discovery.k8s.io': endpointSliceStrategy,
    'events.events.k8s.io': eventsEventStrategy,
    'ingressclasses.networking.k8s.io': ingressClassStrategy,
    'ingresses.networking.k8s.io': ingressStrategy,
    'ipaddresses.networking.k8s.io': ipAddressStrategy,
    'servicecidrs.networking.k8s.io': serviceCidrStrategy,
    'networkpolicies.networking.k8s.io': networkPolicyStrategy,
    'runtimeclasses.node.k8s.io': runtimeClassStrategy,
    'poddisruptionbudgets.policy': podDisruptionBudgetStrategy,
    'resourceclaims.resource.k8s.io': resourceClaimStrategy,
    'resourceslices.resource.k8s.io': resourceSliceStrategy,
    'roles.rbac.authorization.k8s.io': roleStrategy,
    'rolebindings.rbac.authorization.k8s.io': roleBindingStrategy,
    'clusterroles.rbac.authorization.k8s.io': clusterRoleStrategy,
    'clusterrolebindings.rbac.authorization.k8s.io': clusterRoleBindingStrategy,
    'deviceclasses.resource.k8s.io': deviceClassStrategy,
    'resourceclaimtemplates.resource.k8s.io': resourceClaimTemplateStrategy,
    'priorityclasses.scheduling.k8s.io': priorityClassStrategy,
    'csidrivers.storage.k8s.io': csiDriverStrategy,
    'csinodes.storage.k8s.io': csiNodeStrategy,
    'csistoragecapacities.storage.k8s.io': csiStorageCapacityStrategy,
    'storageclasses.storage.k8s.io': storageClassStrategy,
    'volumeattachments.storage.k8s.io': volumeAttachmentStrategy,
    'volumeattributesclasses.storage.k8s.io': volumeAttributesClassStrategy,
    ...createReviewStrategies(deps),
  };
}
