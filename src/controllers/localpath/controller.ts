import { isNodeReady } from '../../machinery/node-ready.js';
import { isStatusError } from '../../machinery/status.js';
import type {
  DeepReadonly,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from '../../machinery/types.js';
import { NODES, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, STORAGE_CLASSES } from '../../client/resources.js';
import { keyOf } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { classOf } from '../persistentvolume/match.js';
import { PROVISIONER, SELECTED_NODE } from '../persistentvolume/provision.js';
import { LOCAL_PATH, localVolume, PROVISIONED_BY, refusal, STANDARD_CLASS, volumeName } from './volume.js';

type ReadonlyClaim = DeepReadonly<PersistentVolumeClaim>;
type ReadonlyNode = DeepReadonly<Node>;

const CLAIM = 'claim/';
const VOLUME = 'volume/';
const CLASS = 'class';

/** The provisioner of kind runs a Pod on the node that makes the directory: its volumes take this long, too. */
const HELPER_MS = 6_000;

/** A Ready node of ours: nobody would make a directory on a Node that is only an object, or another kubelet's. */
const isOurNode = (node: ReadonlyNode): boolean =>
  node.status?.nodeInfo?.containerRuntimeVersion?.startsWith('kubette://') === true;
const hasDirectories = (node: ReadonlyNode): boolean => isOurNode(node) && isNodeReady(node);

/** On a volume: where its directory is. */
const SELECTED = 'local.path.provisioner/selected-node';

/**
 * Makes volumes for claims of classes that name it, on the node that the scheduler chose, and removes them with their
 * claims: what kind runs as a Pod. It brings its default class to a cluster that has nodes and no class.
 */
export const localPathProvisioner: ControllerDefinition = {
  name: 'local-path-provisioner',
  aliases: [],
  workers: 2,
  retry: { baseMs: 1_000, maxMs: 60_000 },
  build({ client, informers, queue, recorder }) {
    const claims = informers.informer<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS);
    const volumes = informers.informer<PersistentVolume>(PERSISTENT_VOLUMES);
    const classes = informers.informer<StorageClass>(STORAGE_CLASSES);
    const nodes = informers.informer<Node>(NODES);
    const volumeClient = client.resource<PersistentVolume>(PERSISTENT_VOLUMES);
    const claimClient = client.resource<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS);
    const classClient = client.resource<StorageClass>(STORAGE_CLASSES);
    const events = recorder(LOCAL_PATH);
    const isOurs = ({ metadata }: DeepReadonly<PersistentVolume>): boolean =>
      metadata.annotations?.[PROVISIONED_BY] === LOCAL_PATH;
    let hasClass = false;

    const claimChanged = (claim: ReadonlyClaim): void => {
      if (claim.metadata.annotations?.[PROVISIONER] === LOCAL_PATH && !claim.spec?.volumeName)
        queue.addAfter(CLAIM + keyOf(claim), HELPER_MS);
    };
    claims.addHandler({ add: claimChanged, update: (_old, claim) => claimChanged(claim) });
    const volumeChanged = (volume: DeepReadonly<PersistentVolume>): void => {
      if (isOurs(volume) && volume.status?.phase === 'Released') queue.add(VOLUME + keyOf(volume));
    };
    volumes.addHandler({ add: volumeChanged, update: (_old, volume) => volumeChanged(volume) });
    const nodeChanged = (node: ReadonlyNode): void => {
      if (!hasClass && hasDirectories(node)) queue.add(CLASS);
    };
    nodes.addHandler({ add: nodeChanged, update: (_old, node) => nodeChanged(node) });

    /** Without a scheduler's choice, where fewest volumes are. */
    const anyNode = (): ReadonlyNode | undefined => {
      const counts = new Map<string, number>();
      for (const volume of volumes.indexer.list()) {
        const node = volume.metadata.annotations?.[SELECTED];
        if (node !== undefined && isOurs(volume)) counts.set(node, (counts.get(node) ?? 0) + 1);
      }
      const countOf = ({ metadata }: ReadonlyNode): number => counts.get(metadata.name ?? '') ?? 0;
      return [...nodes.indexer.list()]
        .filter(node => hasDirectories(node) && node.spec?.unschedulable !== true)
        .sort((a, b) => countOf(a) - countOf(b) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))[0];
    };
    /** The scheduler is to choose again. */
    const reschedule = async (claim: ReadonlyClaim): Promise<void> => {
      const metadata = (claim as PersistentVolumeClaim).metadata;
      const { [SELECTED_NODE]: _node, ...annotations } = metadata.annotations ?? {};
      await claimClient.update({ ...(claim as PersistentVolumeClaim), metadata: { ...metadata, annotations } });
    };
    const provision = async (claim: ReadonlyClaim): Promise<void> => {
      const storageClass = classes.indexer.get(classOf(claim));
      if (storageClass?.provisioner !== LOCAL_PATH || claim.metadata.deletionTimestamp !== undefined) return;
      if (volumes.indexer.get(volumeName(claim)) !== undefined) return;
      const selected = claim.metadata.annotations?.[SELECTED_NODE];
      if (selected === undefined && storageClass.volumeBindingMode === 'WaitForFirstConsumer') return;
      const fail = (why: string): void => {
        const message = `failed to provision volume with StorageClass "${classOf(claim)}": ${why}`;
        events.event(claim, 'Warning', 'ProvisioningFailed', message);
      };
      const node = selected === undefined ? anyNode() : nodes.indexer.get(selected);
      if (node === undefined && selected !== undefined) {
        fail(`failed to get target node: nodes "${selected}" not found`);
        return reschedule(claim);
      }
      const why = node === undefined ? 'no node is ready' : refusal(claim);
      if (why !== undefined || node === undefined) {
        fail(why ?? '');
        throw new Error(why);
      }
      const message = `External provisioner is provisioning volume for claim "${keyOf(claim)}"`;
      events.event(claim, 'Normal', 'Provisioning', message);
      try {
        await volumeClient.create('', localVolume(claim, storageClass, node));
      } catch (error) {
        if (!isStatusError(error, 'AlreadyExists')) throw error;
      }
      const done = `Successfully provisioned volume ${volumeName(claim)}`;
      events.event(claim, 'Normal', 'ProvisioningSucceeded', done);
    };
    /** On the node that has them. Where it is away the volume waits for it, as a Pod of the provisioner would. */
    const removeFiles = async ({ metadata, spec }: DeepReadonly<PersistentVolume>): Promise<void> => {
      const node = nodes.indexer.get(metadata.annotations?.[SELECTED] ?? '');
      const directory = spec?.hostPath?.path.split('/').at(-1) ?? '';
      if (node === undefined || directory === '' || !isOurNode(node)) return;
      if (!isNodeReady(node)) throw new Error(`node ${node.metadata.name ?? ''} is not Ready`);
      const path = `/api/v1/nodes/${encodeURIComponent(node.metadata.name ?? '')}/proxy/volumes/${encodeURIComponent(directory)}`;
      await client.request('DELETE', path);
    };
    const reclaim = async (volume: DeepReadonly<PersistentVolume>): Promise<void> => {
      if (volume.spec?.persistentVolumeReclaimPolicy !== 'Delete' || volume.status?.phase !== 'Released') return;
      const { name = '', uid } = volume.metadata;
      await removeFiles(volume);
      try {
        await volumeClient.delete({ namespace: '', name }, uid === undefined ? {} : { preconditions: { uid } });
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    };
    /** Once: who deletes the class does not want it. */
    const bringClass = async (): Promise<void> => {
      if (hasClass) return;
      hasClass = true;
      if ([...classes.indexer.list()].length > 0) return;
      try {
        await classClient.create('', STANDARD_CLASS);
      } catch (error) {
        if (isStatusError(error, 'AlreadyExists')) return;
        hasClass = false;
        throw error;
      }
    };

    return {
      async reconcile(key) {
        if (key === CLASS) return bringClass();
        if (key.startsWith(VOLUME)) {
          const volume = volumes.indexer.get(key.slice(VOLUME.length));
          if (volume !== undefined) await reclaim(volume);
          return;
        }
        const claim = claims.indexer.get(key.slice(CLAIM.length));
        if (claim !== undefined) await provision(claim);
      },
    };
  },
};
