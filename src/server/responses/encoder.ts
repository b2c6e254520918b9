import type { KubeObject } from '../../machinery/types.js';
import type { Status } from '../../machinery/status.js';
import type { ResourceInfo } from '../../resources/resource-info.js';

/**
 * The protobuf form of what the server answers, with its "k8s\0" envelope. Undefined results mean that the kind has no
 * protobuf form.
 */
export interface ProtobufEncoder {
  encodes(info: ResourceInfo): boolean;
  object(object: KubeObject): Buffer | undefined;
  list(info: ResourceInfo, metadata: object, items: Iterable<KubeObject>): Buffer;
  status(status: Status): Buffer;
  /** One frame of a watch: 4 bytes of length, then a WatchEvent. */
  watchEvent(type: string, object: KubeObject | Status): Buffer;
}
