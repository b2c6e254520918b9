import { quote } from '../../../machinery/go-text.js';
import type { DeepReadonly, PodSpec } from '../../../machinery/types.js';
import { list } from '../../validation/formats.js';
import { claimSpecWarnings } from '../validation/claims.js';
import { trimEnd } from '../../../machinery/trim.js';
import { overlappingPaths } from './path-overlaps.js';

type Volume = NonNullable<DeepReadonly<PodSpec>['volumes']>[number];
type Source = NonNullable<NonNullable<Volume['projected']>['sources']>[number];

/** In upstream's order; `as`: its spelling of the field. */
const DEPRECATED: readonly { readonly source: keyof Volume; readonly as?: string; readonly text: string }[] = [
  { source: 'photonPersistentDisk', text: 'deprecated in v1.11, non-functional in v1.16+' },
  { source: 'gitRepo', text: 'deprecated in v1.11, and disabled by default in v1.33+' },
  { source: 'scaleIO', text: 'deprecated in v1.16, non-functional in v1.22+' },
  { source: 'flocker', text: 'deprecated in v1.22, non-functional in v1.25+' },
  { source: 'storageos', as: 'storageOS', text: 'deprecated in v1.22, non-functional in v1.25+' },
  { source: 'quobyte', text: 'deprecated in v1.22, non-functional in v1.25+' },
  { source: 'glusterfs', text: 'deprecated in v1.25, non-functional in v1.26+' },
  { source: 'cephfs', text: 'deprecated in v1.28, non-functional in v1.31+' },
  { source: 'rbd', text: 'deprecated in v1.28, non-functional in v1.31+' },
];

/** A file of a volume; `source`: what it comes from, '' where that is plain. */
interface File {
  readonly path: string;
  readonly source: string;
}

const shown = ({ path, source }: File): string => (source === '' ? quote(path) : `${quote(path)} (${source})`);

const filesOf = (items: readonly { readonly path: string }[] | undefined, source = ''): File[] =>
  list(items).map(({ path }) => ({ path: trimEnd(path, '/'), source }));

/** Files that are the same, or in the way of each other's folder; each against those before it. */
const overlaps = (files: readonly File[]): string[] =>
  overlappingPaths(files.map(({ path }) => path)).flatMap(([i, j]) => {
    const [file, other] = [files[i], files[j]];
    return file === undefined || other === undefined ? [] : [`${shown(file)} with ${shown(other)}`];
  });

function projectedFiles({ configMap, secret, downwardAPI, serviceAccountToken }: Source): File[] {
  if (configMap?.items !== undefined) return filesOf(configMap.items, `ConfigMap ${quote(configMap.name ?? '')}`);
  if (secret?.items !== undefined) return filesOf(secret.items, `Secret ${quote(secret.name ?? '')}`);
  if (downwardAPI?.items !== undefined) return filesOf(downwardAPI.items, 'DownwardAPI');
  return serviceAccountToken === undefined ? [] : filesOf([serviceAccountToken], 'ServiceAccountToken');
}

function pathWarnings(volume: Volume): string[] {
  const { name, configMap, secret, downwardAPI, projected } = volume;
  const warn = (what: string, files: readonly File[]): string[] =>
    overlaps(files).map(text => `volume ${quote(name)} (${what}): overlapping paths: ${text}`);
  const sources = list(projected?.sources);
  const empty = sources.filter(source => Object.keys(source).length === 0);
  return [
    ...warn(`ConfigMap ${quote(configMap?.name ?? '')}`, filesOf(configMap?.items)),
    ...warn(`Secret ${quote(secret?.secretName ?? '')}`, filesOf(secret?.items)),
    ...warn('DownwardAPI', filesOf(downwardAPI?.items)),
    ...empty.map(() => `volume ${quote(name)} (Projected) has no sources provided`),
    ...warn('Projected', sources.flatMap(projectedFiles)),
  ];
}

/** Warnings about the volumes of a Pod spec at `at`. */
export function volumeWarnings(volumes: readonly Volume[] | undefined, at: string): string[] {
  const deprecated = list(volumes).flatMap((volume, i) => {
    const here = `${at}.volumes[${i}]`;
    const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
    // Claims come before the two sources that were given up last.
    const text = ({ source, as = source, text }: (typeof DEPRECATED)[number]): string[] =>
      volume[source] === undefined ? [] : [`${here}.${as}: ${text}`];
    return [
      ...DEPRECATED.slice(0, -2).flatMap(text),
      ...claimSpecWarnings(claim, `${here}.ephemeral.volumeClaimTemplate.spec`),
      ...DEPRECATED.slice(-2).flatMap(text),
    ];
  });
  return [...deprecated, ...list(volumes).flatMap(pathWarnings)];
}
