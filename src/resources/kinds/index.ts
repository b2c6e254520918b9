import type { Strategy } from '../strategy.js';
import { validatingAdmissionPolicyBindingStrategy, validatingAdmissionPolicyStrategy } from './admission-policy.js';
import { apiServiceStrategy } from './api-service.js';
import { certificateSigningRequestStrategy } from './certificate-signing-request.js';
import { componentStatusStrategy } from './component-status.js';
import { configMapStrategy, secretStrategy } from './config.js';
import { controllerRevisionStrategy } from './controller-revision.js';
import { cronJobStrategy } from './cron-job.js';
import { daemonSetStrategy } from './daemon-set.js';
import { deploymentStrategy } from './deployment.js';
import { csiDriverStrategy, csiNodeStrategy, csiStorageCapacityStrategy, volumeAttachmentStrategy } from './csi.js';
import type { KindDeps } from './deps.js';
import { endpointSliceStrategy } from './endpoint-slice.js';
import { endpointsStrategy } from './endpoints.js';
import { coreEventStrategy, eventsEventStrategy } from './event.js';
import { flowSchemaStrategy, priorityLevelConfigurationStrategy } from './flow-control.js';
import { horizontalPodAutoscalerV1Strategy } from './hpa-v1.js';
import { horizontalPodAutoscalerStrategy } from './hpa.js';
import { ingressClassStrategy, ingressStrategy } from './ingress.js';
import { ipAddressStrategy, serviceCidrStrategy } from './ip-address.js';
import { jobStrategy } from './job.js';
import { leaseStrategy } from './lease.js';
import { createLimitRangeStrategy } from './limit-range.js';
import { namespaceStrategy } from './namespace.js';
import { networkPolicyStrategy } from './network-policy.js';
import { nodeStrategy } from './node.js';
import { podDisruptionBudgetStrategy } from './pod-disruption-budget.js';
import { persistentVolumeClaimStrategy } from './persistent-volume-claim.js';
import { persistentVolumeStrategy } from './persistent-volume.js';
import { podStrategy } from './pod.js';
import { clusterRoleBindingStrategy, clusterRoleStrategy, roleBindingStrategy, roleStrategy } from './rbac.js';
import { podTemplateStrategy } from './pod-template.js';
import { priorityClassStrategy } from './priority-class.js';
import { replicaSetStrategy } from './replica-set.js';
import { replicationControllerStrategy } from './replication-controller.js';
import { deviceClassStrategy, resourceClaimStrategy, resourceClaimTemplateStrategy } from './resource-claim.js';
import { resourceSliceStrategy } from './resource-slice.js';
import { resourceQuotaStrategy } from './resource-quota.js';
import { createReviewStrategies } from './reviews.js';
import { runtimeClassStrategy } from './runtime-class.js';
import { customResourceDefinitionStrategy } from './custom-resource-definition.js';
import { createServiceAccountStrategy } from './service-account.js';
import { createServiceStrategy } from './service.js';
import {
  mutatingWebhookConfigurationStrategy,
  validatingWebhookConfigurationStrategy,
} from './webhook-configuration.js';
import { storageClassStrategy, volumeAttributesClassStrategy } from './storage-class.js';
import { statefulSetStrategy } from './stateful-set.js';

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
    'customresourcedefinitions.apiextensions.k8s.io': customResourceDefinitionStrategy,
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
