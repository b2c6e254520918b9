import {
  requestApprovingController,
  requestCleanerController,
  requestSigningController,
} from './certificates/controllers.js';
import { clusterRoleAggregationController } from './clusterroleaggregation/controller.js';
import type { ControllerDefinition } from './controller.js';
import { cronJobController } from './cronjob/controller.js';
import { daemonSetController } from './daemonset/controller.js';
import { deploymentController } from './deployment/controller.js';
import { disruptionController } from './disruption/controller.js';
import { endpointsController } from './endpoints/controller.js';
import { endpointSliceController } from './endpointslice/controller.js';
import { endpointSliceMirroringController } from './endpointslicemirroring/controller.js';
import { ephemeralVolumeController } from './ephemeralvolume/controller.js';
import { garbageCollector } from './garbagecollector/controller.js';
import { horizontalPodAutoscalerController } from './horizontalpodautoscaling/controller.js';
import { jobController } from './job/controller.js';
import { localPathProvisioner } from './localpath/controller.js';
import { namespaceController } from './namespace/controller.js';
import { nodeIpamController } from './nodeipam/controller.js';
import { nodeLifecycleController } from './nodelifecycle/controller.js';
import { nodeTtlController } from './nodettl/controller.js';
import { persistentVolumeBinderController } from './persistentvolume/controller.js';
import { podGcController } from './podgc/controller.js';
import { replicaSetController } from './replicaset/controller.js';
import { replicationControllerController } from './replicationcontroller/controller.js';
import { resourceQuotaController } from './resourcequota/controller.js';
import { rootCaPublisher } from './rootca/controller.js';
import { scheduler } from './scheduler/controller.js';
import { serviceAccountController } from './serviceaccount/controller.js';
import { serviceAccountTokenController } from './serviceaccount/tokens-controller.js';
import { serviceCidrController } from './servicecidrs/controller.js';
import { serviceLbController } from './servicelb/controller.js';
import { statefulSetController } from './statefulset/controller.js';
import { taintEvictionController } from './tainteviction/controller.js';
import { ttlAfterFinishedController } from './ttlafterfinished/controller.js';
import { validatingAdmissionPolicyStatusController } from './validatingadmissionpolicystatus/controller.js';
import { volumeExpandController } from './volumeexpand/controller.js';
import { claimProtectionController, volumeProtectionController } from './volumeprotection/controller.js';

/** Every controller there is. The manager iterates this list and names no member. */
export const ALL_CONTROLLERS: readonly ControllerDefinition[] = [
  claimProtectionController,
  clusterRoleAggregationController,
  cronJobController,
  daemonSetController,
  deploymentController,
  disruptionController,
  endpointsController,
  endpointSliceController,
  endpointSliceMirroringController,
  ephemeralVolumeController,
  garbageCollector,
  horizontalPodAutoscalerController,
  jobController,
  localPathProvisioner,
  namespaceController,
  nodeIpamController,
  nodeLifecycleController,
  nodeTtlController,
  persistentVolumeBinderController,
  volumeExpandController,
  podGcController,
  replicaSetController,
  replicationControllerController,
  requestApprovingController,
  requestCleanerController,
  requestSigningController,
  resourceQuotaController,
  rootCaPublisher,
  scheduler,
  serviceAccountController,
  serviceAccountTokenController,
  serviceCidrController,
  serviceLbController,
  statefulSetController,
  taintEvictionController,
  ttlAfterFinishedController,
  validatingAdmissionPolicyStatusController,
  volumeProtectionController,
];
