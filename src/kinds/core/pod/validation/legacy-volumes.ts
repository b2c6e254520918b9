import type { VolumeCheck } from './volume-check.js';
import { invalid, notSupported, required, type FieldError, type FieldPath } from '../../../../machinery/field-error.js';
import { goLength } from '../../../../machinery/go-text.js';
import { checkDnsLabel, sortedEntries } from '../../../validation/formats.js';

const need = (out: FieldError[], at: FieldPath, value: unknown): void => {
  if (value === undefined || value === '' || value === null || (Array.isArray(value) && value.length === 0))
    out.push(required(at));
};

const byteRange = (out: FieldError[], at: FieldPath, value: number | undefined, text: string): void => {
  if (value !== undefined && (value < 0 || value > 255)) out.push(invalid(at, value, text));
};

const PARTITION = 'must be between 1 and 255, inclusive';
const LUN = 'must be between 0 and 255, inclusive';

const ISCSI_FORMATS: Readonly<Record<string, RegExp>> = {
  eui: /^eui.[A-Za-z0-9]{16}$/,
  naa: /^naa.[A-Za-z0-9]{32}$/,
};

/**
 * `iqn\.\d{4}-\d{2}\.([[:alnum:]-.]+)(:[^,;*&$|\s]+)$` anywhere in the name, as upstream has it, in one pass: from each of
 * many beginnings to the end would be quadratic.
 */
function isIqn(name: string): boolean {
  const end = [...name.matchAll(/[,;*&$|\s]/g)].at(-1);
  const parts = name.slice(end === undefined ? 0 : end.index + 1).split(':');
  const named = parts.slice(0, parts.at(-1) === '' ? -2 : -1);
  return named.some(part => {
    const begins = [...part.matchAll(/iqn\.\d{4}-\d{2}\.(?!$)/g)].at(-1);
    return begins !== undefined && /^[A-Za-z0-9.-]+$/.test(part.slice(begins.index + begins[0].length));
  });
}

function checkIscsiName(out: FieldError[], at: FieldPath, name: string): void {
  const kind = name.slice(0, 3);
  const format = ISCSI_FORMATS[kind];
  if (kind === 'iqn') {
    if (!isIqn(name)) out.push(invalid(at, name, 'must be valid format'));
  } else if (format === undefined) out.push(invalid(at, name, 'must be valid format starting with iqn, eui, or naa'));
  else if (!format.test(name)) out.push(invalid(at, name, 'must be valid format'));
}

/**
 * Volume sources whose drivers left Kubernetes: still served, still checked. In upstream's order; volumes.ts weaves them
 * in between the others.
 */
export const LEGACY_VOLUME_CHECKS: readonly VolumeCheck[] = [
  {
    source: 'gcePersistentDisk',
    as: 'persistentDisk',
    check(out, at, { gcePersistentDisk }) {
      need(out, at.child('pdName'), gcePersistentDisk?.pdName);
      byteRange(out, at.child('partition'), gcePersistentDisk?.partition, PARTITION);
    },
  },
  {
    source: 'awsElasticBlockStore',
    check(out, at, { awsElasticBlockStore }) {
      need(out, at.child('volumeID'), awsElasticBlockStore?.volumeID);
      byteRange(out, at.child('partition'), awsElasticBlockStore?.partition, PARTITION);
    },
  },
  {
    source: 'iscsi',
    check(out, at, { iscsi }) {
      if (iscsi === undefined) return;
      need(out, at.child('targetPortal'), iscsi.targetPortal);
      if (!iscsi.iqn) out.push(required(at.child('iqn')));
      else checkIscsiName(out, at.child('iqn'), iscsi.iqn);
      byteRange(out, at.child('lun'), iscsi.lun, LUN);
      if ((iscsi.chapAuthDiscovery === true || iscsi.chapAuthSession === true) && iscsi.secretRef === undefined)
        out.push(required(at.child('secretRef')));
      if (iscsi.initiatorName !== undefined) checkIscsiName(out, at.child('initiatorname'), iscsi.initiatorName);
    },
    always(out, at, { iscsi, name = '' }) {
      if (iscsi?.initiatorName === undefined || goLength(`${name}:${iscsi.targetPortal ?? ''}`) <= 64) return;
      const text =
        'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';
      out.push(invalid(at.child('name'), name, text));
    },
  },
  {
    source: 'glusterfs',
    check(out, at, { glusterfs }) {
      need(out, at.child('endpoints'), glusterfs?.endpoints);
      need(out, at.child('path'), glusterfs?.path);
    },
  },
  {
    source: 'flocker',
    check(out, at, { flocker }) {
      const name = flocker?.datasetName ?? '';
      const uuid = flocker?.datasetUUID ?? '';
      if (name === '' && uuid === '') out.push(required(at, 'one of datasetName and datasetUUID is required'));
      if (name !== '' && uuid !== '')
        out.push(invalid(at, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
      if (name.includes('/')) out.push(invalid(at.child('datasetName'), name, "must not contain '/'"));
    },
  },
  {
    source: 'rbd',
    check(out, at, { rbd }) {
      need(out, at.child('monitors'), rbd?.monitors);
      need(out, at.child('image'), rbd?.image);
    },
  },
  {
    source: 'cinder',
    check(out, at, { cinder }) {
      need(out, at.child('volumeID'), cinder?.volumeID);
      if (cinder?.secretRef !== undefined) need(out, at.child('secretRef', 'name'), cinder.secretRef.name);
    },
  },
  {
    source: 'cephfs',
    extraAs: 'cephFS',
    check(out, at, { cephfs }) {
      need(out, at.child('monitors'), cephfs?.monitors);
    },
  },
  {
    source: 'quobyte',
    check(out, at, { quobyte }) {
      const text = 'must be a host:port pair or multiple pairs separated by commas';
      const registry = quobyte?.registry ?? '';
      if (registry === '') out.push(required(at.child('registry'), text));
      else if ((quobyte?.tenant ?? '').length >= 65)
        out.push(required(at.child('tenant'), 'must be a UUID and may not exceed a length of 64 characters'));
      else
        for (const pair of registry.split(','))
          if (!/^([^:[\]]*|\[[^\]]*\]):[^:]*$/.test(pair)) out.push(invalid(at.child('registry'), registry, text));
      need(out, at.child('volume'), quobyte?.volume);
    },
  },
  {
    source: 'fc',
    check(out, at, { fc }) {
      const names = fc?.targetWWNs ?? [];
      const wwids = fc?.wwids ?? [];
      if (names.length === 0 && wwids.length === 0)
        out.push(required(at.child('targetWWNs'), 'must specify either targetWWNs or wwids, but not both'));
      if (names.length !== 0 && wwids.length !== 0)
        out.push(invalid(at.child('targetWWNs'), names, 'targetWWNs and wwids can not be specified simultaneously'));
      if (names.length === 0) return;
      if (fc?.lun === undefined) out.push(required(at.child('lun'), 'lun is required if targetWWNs is specified'));
      else byteRange(out, at.child('lun'), fc.lun, LUN);
    },
  },
  {
    source: 'flexVolume',
    check(out, at, { flexVolume }) {
      need(out, at.child('driver'), flexVolume?.driver);
      for (const [key] of sortedEntries(flexVolume?.options)) {
        const slash = key.indexOf('/');
        const domain = `.${(slash < 0 ? key : key.slice(0, slash)).toLowerCase()}`;
        if (domain.endsWith('.kubernetes.io') || domain.endsWith('.k8s.io'))
          out.push(invalid(at.child('options').key(key), key, 'kubernetes.io and k8s.io namespaces are reserved'));
      }
    },
  },
  {
    source: 'azureFile',
    check(out, at, { azureFile }) {
      need(out, at.child('secretName'), azureFile?.secretName);
      need(out, at.child('shareName'), azureFile?.shareName);
    },
  },
  {
    source: 'vsphereVolume',
    check(out, at, { vsphereVolume }) {
      need(out, at.child('volumePath'), vsphereVolume?.volumePath);
    },
  },
  {
    source: 'photonPersistentDisk',
    check(out, at, { photonPersistentDisk }) {
      need(out, at.child('pdID'), photonPersistentDisk?.pdID);
    },
  },
  {
    source: 'portworxVolume',
    check(out, at, { portworxVolume }) {
      need(out, at.child('volumeID'), portworxVolume?.volumeID);
    },
  },
  {
    source: 'azureDisk',
    check(out, at, { azureDisk }) {
      if (azureDisk === undefined) return;
      need(out, at.child('diskName'), azureDisk.diskName);
      need(out, at.child('diskURI'), azureDisk.diskURI);
      const caching = ['None', 'ReadOnly', 'ReadWrite'];
      const kinds = ['Dedicated', 'Managed', 'Shared'];
      if (azureDisk.cachingMode !== undefined && !caching.includes(azureDisk.cachingMode))
        out.push(notSupported(at.child('cachingMode'), azureDisk.cachingMode, caching));
      if (azureDisk.kind !== undefined && !kinds.includes(azureDisk.kind))
        out.push(notSupported(at.child('kind'), azureDisk.kind, kinds));
      const uri = azureDisk.diskURI ?? '';
      const managed = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
      const blob = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';
      if (azureDisk.kind === 'Managed' && !uri.startsWith('/subscriptions/'))
        out.push(notSupported(at.child('diskURI'), uri, [managed]));
      if (azureDisk.kind !== undefined && azureDisk.kind !== 'Managed' && !uri.startsWith('https://'))
        out.push(notSupported(at.child('diskURI'), uri, [blob]));
    },
  },
  {
    source: 'storageos',
    check(out, at, { storageos }) {
      if (!storageos?.volumeName) out.push(required(at.child('volumeName')));
      else checkDnsLabel(out, at.child('volumeName'), storageos.volumeName);
      if (storageos?.volumeNamespace) checkDnsLabel(out, at.child('volumeNamespace'), storageos.volumeNamespace);
      if (storageos?.secretRef !== undefined) need(out, at.child('secretRef', 'name'), storageos.secretRef.name);
    },
  },
  {
    source: 'scaleIO',
    check(out, at, { scaleIO }) {
      need(out, at.child('gateway'), scaleIO?.gateway);
      need(out, at.child('system'), scaleIO?.system);
      need(out, at.child('volumeName'), scaleIO?.volumeName);
    },
  },
];
