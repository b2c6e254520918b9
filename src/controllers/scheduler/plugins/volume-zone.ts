import { classOf } from '../../persistentvolume/match.js';
import { unresolvable, type Plugin } from '../plugin.js';
import { claimsOfPod, notFound, type ReadonlyVolume, type VolumeLists } from './claims.js';

interface Place {
  readonly key: string;
  readonly values: ReadonlySet<string>;
}

const GENERAL: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
};
const LABELS = [...Object.keys(GENERAL), ...Object.values(GENERAL)];

/** Zones are joined by two underscores in a volume's label. */
const placesOf = ({ metadata }: ReadonlyVolume): Place[] =>
  LABELS.flatMap(key => {
    const values = metadata.labels?.[key]?.split('__').map(value => value.trim());
    return values === undefined || values.includes('') ? [] : [{ key, values: new Set(values) }];
  });

/** Volumes that are labelled with a zone are used there. */
export const volumeZone = ({ claims, volumes, classes }: VolumeLists): Plugin<readonly Place[]> => ({
  name: 'VolumeZone',
  events: ['node/added', 'node/labels', 'claim/changed', 'volume/changed', 'storage-class/changed'],
  preFilter({ pod }) {
    const places: Place[] = [];
    const reject = (reason: string) => ({ rejection: unresolvable(reason) });
    for (const { name, key } of claimsOfPod(pod)) {
      const claim = claims.get(key);
      if (claim === undefined) return reject(notFound('persistentvolumeclaim', name));
      const volumeName = claim.spec?.volumeName ?? '';
      if (volumeName === '') {
        const className = classOf(claim);
        if (className === '') return reject('PersistentVolumeClaim had no pv name and storageClass name');
        const storageClass = classes.get(className);
        if (storageClass === undefined) return reject(notFound('storageclass.storage.k8s.io', className));
        if (storageClass.volumeBindingMode === 'WaitForFirstConsumer') continue;
        return reject('PersistentVolume had no name');
      }
      const volume = volumes.get(volumeName);
      if (volume === undefined) return reject(notFound('persistentvolume', volumeName));
      places.push(...placesOf(volume));
    }
    return places.length === 0 ? { skip: true } : { state: places };
  },
  filter(state, _pod, { labels }) {
    // A node without zones is in a cluster of one.
    if (!LABELS.some(key => labels[key] !== undefined)) return undefined;
    const fits = (state ?? []).every(({ key, values }) => values.has(labels[key] ?? labels[GENERAL[key] ?? key] ?? ''));
    return fits ? undefined : unresolvable('node(s) had no available volume zone');
  },
});
