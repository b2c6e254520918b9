import type { DeepReadonly, KubeObject, ReplicaSet, ReplicationController } from '../../machinery/types.js';
import { REPLICATION_CONTROLLERS } from '../../client/resources.js';
import type { ControllerDefinition } from '../controller.js';
import { buildReplicaController } from '../replicaset/controller.js';

/** A ReplicationController as the ReplicaSet it is but for its selector, which is plain labels (replication/conversion.go). */
export function asReplicaSet(object: DeepReadonly<KubeObject>): DeepReadonly<ReplicaSet> {
  const { spec, ...rest } = object as DeepReadonly<ReplicationController>;
  return { ...rest, spec: { ...spec, selector: { matchLabels: spec?.selector ?? {} } } };
}

export const replicationControllerController: ControllerDefinition = {
  name: 'replicationcontroller-controller',
  aliases: ['replicationcontroller'],
  workers: 5,
  build: context =>
    buildReplicaController(
      context,
      {
        ref: REPLICATION_CONTROLLERS,
        apiVersion: 'v1',
        kind: 'ReplicationController',
        view: asReplicaSet,
        countsTerminating: false,
      },
      'replication-controller',
    ),
};
