import { isStatusError } from '../../machinery/status.js';
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../../machinery/types.js';
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, STORAGE_CLASSES } from '../../client/resources.js';
import { keyOf } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { isTerminal } from '../pods.js';
import { BY_CLAIM, claimsOf } from '../volumeprotection/claims.js';
import { BIND_COMPLETED, createBinder } from './bind.js';
import { classOf, findVolume, isReservedFor, mismatch, type ReadonlyClaim, type ReadonlyVolume } from './match.js';
import { PROVISIONER, SELECTED_NODE } from './provision.js';
import { planReclaim } from './reclaim.js';

const CLAIM = 'claim/';
const VOLUME = 'volume/';

const BETA_PROVISIONER = 'volume.beta.kubernetes.io/storage-provisioner';

/** Brings claims and volumes together (pkg/controller/volume/persistentvolume). Provisioning is left to drivers. */
export const persistentVolumeBinderController: ControllerDefinition = {
  name: 'persistentvolume-binder-controller',
  aliases: ['persistentvolume-binder'],
  workers: 1,
  build(context) {
    const { client, informers, queue } = context;
    const volumes = informers.informer<PersistentVolume>(PERSISTENT_VOLUMES);
    const claims = informers.informer<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS);
    const classes = informers.informer<StorageClass>(STORAGE_CLASSES);
    const pods = informers.informer<Pod>(PODS);
    const volumeClient = client.resource<PersistentVolume>(PERSISTENT_VOLUMES);
    const claimClient = client.resource<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS);
    const recorder = context.recorder('persistentvolume-controller');
    const binder = createBinder({ volumes: volumeClient, claims: claimClient });
    pods.addIndex(BY_CLAIM, claimsOf);

    const queueClaim = (claim: ReadonlyClaim): void => queue.add(CLAIM + keyOf(claim));
    const queueWaiting = (): void => {
      for (const claim of claims.indexer.list()) if (claim.status?.phase !== 'Bound') queueClaim(claim);
    };
    const claimChanged = (claim: ReadonlyClaim): void => {
      queueClaim(claim);
      const volume = claim.spec?.volumeName ?? '';
      if (volume !== '') queue.add(VOLUME + volume);
    };
    claims.addHandler({ add: claimChanged, update: (_old, claim) => claimChanged(claim), delete: claimChanged });
    const volumeChanged = (volume: ReadonlyVolume): void => {
      queue.add(VOLUME + keyOf(volume));
      const { namespace = '', name = '' } = volume.spec?.claimRef ?? {};
      if (name !== '') queue.add(`${CLAIM}${namespace}/${name}`);
      else queueWaiting();
    };
    volumes.addHandler({
      add: volumeChanged,
      update: (_old, volume) => volumeChanged(volume),
      delete: volumeChanged,
    });
    classes.addHandler({ add: queueWaiting, update: queueWaiting });

    /** A delayed claim without a node waits for the first Pod that uses it. */
    const isDelayed = (claim: ReadonlyClaim): boolean =>
      classes.indexer.get(classOf(claim))?.volumeBindingMode === 'WaitForFirstConsumer' &&
      claim.metadata.annotations?.[SELECTED_NODE] === undefined;

    const waitForConsumer = (claim: ReadonlyClaim): void => {
      const user = pods.indexer.byIndex(BY_CLAIM, keyOf(claim)).find(pod => !isTerminal(pod));
      if (user === undefined) {
        const message = 'waiting for first consumer to be created before binding';
        recorder.event(claim, 'Normal', 'WaitForFirstConsumer', message);
      } else {
        const message = `waiting for pod ${user.metadata.name ?? ''} to be scheduled`;
        recorder.event(claim, 'Normal', 'WaitForPodScheduled', message);
      }
    };

    /** Asks the class's driver for a volume, which is all that happens here. */
    const askProvisioner = async (claim: ReadonlyClaim): Promise<ReadonlyClaim> => {
      const name = classOf(claim);
      const provisioner = classes.indexer.get(name)?.provisioner;
      if (provisioner === undefined || provisioner.startsWith('kubernetes.io/')) {
        const message =
          provisioner === undefined
            ? `storageclass.storage.k8s.io "${name}" not found`
            : `no volume plugin matched name: ${provisioner}`;
        recorder.event(claim, 'Warning', 'ProvisioningFailed', message);
        return claim;
      }
      const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
      recorder.event(claim, 'Normal', 'ExternalProvisioning', message);
      if (claim.metadata.annotations?.[PROVISIONER] === provisioner) return claim;
      const annotations = {
        ...claim.metadata.annotations,
        [BETA_PROVISIONER]: provisioner,
        [PROVISIONER]: provisioner,
      };
      return claimClient.update({
        ...(claim as PersistentVolumeClaim),
        metadata: { ...(claim as PersistentVolumeClaim).metadata, annotations },
      });
    };

    const syncUnbound = async (claim: ReadonlyClaim): Promise<void> => {
      const asked = claim.spec?.volumeName ?? '';
      if (asked === '') {
        const delayed = isDelayed(claim);
        const found = findVolume(claim, volumes.indexer.list(), delayed);
        if (found !== undefined) return binder.bind(found, claim);
        let current = claim;
        if (delayed) waitForConsumer(claim);
        else if (classOf(claim) !== '') current = await askProvisioner(claim);
        else {
          const message = 'no persistent volumes available for this claim and no storage class is set';
          recorder.event(claim, 'Normal', 'FailedBinding', message);
        }
        await binder.setClaimPhase(current, 'Pending');
        return;
      }
      const volume = volumes.indexer.get(asked);
      if (volume !== undefined && isReservedFor(volume, claim)) return binder.bind(volume, claim);
      if (volume !== undefined && volume.spec?.claimRef === undefined) {
        const why = mismatch(volume, claim);
        if (why === undefined) return binder.bind(volume, claim);
        const message = `Cannot bind to requested volume "${asked}": ${why}`;
        recorder.event(claim, 'Warning', 'VolumeMismatch', message);
      } else if (volume !== undefined) {
        const message = `volume "${asked}" already bound to a different claim.`;
        recorder.event(claim, 'Warning', 'FailedBinding', message);
      }
      await binder.setClaimPhase(claim, 'Pending');
    };

    const lose = async (claim: ReadonlyClaim, reason: string, message: string): Promise<void> => {
      if (await binder.setClaimPhase(claim, 'Lost')) recorder.event(claim, 'Warning', reason, message);
    };

    const syncBound = async (claim: ReadonlyClaim): Promise<void> => {
      const name = claim.spec?.volumeName ?? '';
      if (name === '')
        return lose(
          claim,
          'ClaimLost',
          'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!',
        );
      const volume = volumes.indexer.get(name);
      if (volume === undefined)
        return lose(claim, 'ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
      if (volume.spec?.claimRef === undefined || volume.spec.claimRef.uid === claim.metadata.uid)
        return binder.bind(volume, claim);
      const message = 'Two claims are bound to the same volume, this one is bound incorrectly';
      return lose(claim, 'ClaimMisbound', message);
    };

    /** The claim that a volume is bound to; asked of the server when the cache has none, for a Released volume is lost. */
    const claimOf = async (volume: ReadonlyVolume): Promise<ReadonlyClaim | undefined> => {
      const { namespace = '', name = '', uid = '' } = volume.spec?.claimRef ?? {};
      const cached = claims.indexer.get(`${namespace}/${name}`);
      if (cached?.metadata.uid === uid) return cached;
      try {
        const live = await claimClient.get({ namespace, name });
        return live.metadata.uid === uid ? live : undefined;
      } catch (error) {
        if (isStatusError(error, 'NotFound')) return undefined;
        throw error;
      }
    };

    const reclaim = async (volume: ReadonlyVolume): Promise<void> => {
      const plan = planReclaim(volume);
      if (plan.do === 'delete')
        await volumeClient.delete({ namespace: '', name: volume.metadata.name ?? '' }).catch((error: unknown) => {
          if (!isStatusError(error, 'NotFound')) throw error;
        });
      else if (plan.do === 'fail' && volume.status?.phase !== 'Failed') {
        await binder.setVolumePhase(volume, 'Failed', plan.message);
        recorder.event(volume, 'Warning', plan.reason, plan.message);
      }
    };

    const syncVolume = async (volume: ReadonlyVolume): Promise<void> => {
      if ((volume.spec?.claimRef?.uid ?? '') === '') return void (await binder.setVolumePhase(volume, 'Available'));
      const claim = await claimOf(volume);
      const bound = claim?.spec?.volumeName ?? '';
      if (claim === undefined) {
        const phase = volume.status?.phase;
        const released =
          phase === 'Released' || phase === 'Failed' ? volume : await binder.setVolumePhase(volume, 'Released');
        await reclaim(released);
      } else if (bound === volume.metadata.name) await binder.setVolumePhase(volume, 'Bound');
      else if (bound === '') queueClaim(claim);
      else await binder.unbind(volume);
    };

    return {
      async reconcile(key) {
        if (key.startsWith(VOLUME)) {
          const volume = volumes.indexer.get(key.slice(VOLUME.length));
          if (volume !== undefined) await syncVolume(volume);
          return;
        }
        const claim = claims.indexer.get(key.slice(CLAIM.length));
        if (claim === undefined) return;
        if (claim.metadata.annotations?.[BIND_COMPLETED] === undefined) await syncUnbound(claim);
        else await syncBound(claim);
      },
    };
  },
};
