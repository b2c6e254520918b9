import { forbidden, invalid, notSupported, required } from '../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../machinery/field-error.js';
import { isDns1123Label } from '../../../machinery/validation/names.js';
import { checkDnsSubdomain, checkSelector } from '../../validation/formats.js';
import { isWhole, quantitySign } from '../../validation/quantities.js';

export const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
export const VOLUME_MODES = ['Block', 'Filesystem'];

interface DataSource {
  readonly apiGroup?: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** The parts of PersistentVolumeClaimSpec that are checked. */
export interface ClaimSpec {
  readonly accessModes?: readonly string[];
  readonly selector?: Parameters<typeof checkSelector>[2];
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string>>;
    readonly limits?: Readonly<Record<string, string>>;
  };
  readonly storageClassName?: string;
  readonly volumeMode?: string;
  readonly volumeName?: string;
  readonly dataSource?: DataSource;
  readonly dataSourceRef?: DataSource;
  readonly volumeAttributesClassName?: string;
}

export function checkAccessModes(out: FieldError[], at: FieldPath, modes: readonly string[]): void {
  const seen = new Set(modes);
  for (const mode of modes) if (!ACCESS_MODES.includes(mode)) out.push(notSupported(at, mode, ACCESS_MODES));
  if (seen.has('ReadWriteOncePod') && seen.size > 1)
    out.push(forbidden(at, 'may not use ReadWriteOncePod with other access modes'));
}

function checkDataSource(out: FieldError[], at: FieldPath, source: DataSource | undefined, anyGroup: boolean): void {
  if (source === undefined) return;
  if (!source.name) out.push(required(at.child('name')));
  if (!source.kind) out.push(required(at.child('kind')));
  const group = source.apiGroup ?? '';
  if (group === '' && source.kind !== 'PersistentVolumeClaim')
    out.push(invalid(at, source.kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  else if (group !== '' && !anyGroup) checkDnsSubdomain(out, at.child('apiGroup'), group);
  if (source.namespace)
    for (const text of isDns1123Label(source.namespace))
      out.push(invalid(at.child('namespace'), source.namespace, text));
}

/**
 * A claim's spec, in a PersistentVolumeClaim, a StatefulSet or a generic ephemeral volume. `anyGroup`: the groups of its
 * sources are not checked, as where the stored claim has named one.
 */
export function checkClaimSpec(
  out: FieldError[],
  at: FieldPath,
  spec: ClaimSpec | undefined,
  { anyGroup = false } = {},
): void {
  const modes = spec?.accessModes ?? [];
  if (modes.length === 0) out.push(required(at.child('accessModes'), 'at least 1 access mode is required'));
  if (spec?.selector !== undefined) checkSelector(out, at.child('selector'), spec.selector);
  checkAccessModes(out, at.child('accessModes'), modes);
  const storage = spec?.resources?.requests?.['storage'];
  const requests = at.child('resources');
  if (storage === undefined) out.push(required(requests.key('storage')));
  else if (quantitySign(storage) <= 0) out.push(invalid(requests.key('storage'), storage, 'must be greater than zero'));
  if (spec?.storageClassName) checkDnsSubdomain(out, at.child('storageClassName'), spec.storageClassName);
  const mode = spec?.volumeMode;
  if (mode !== undefined && !VOLUME_MODES.includes(mode))
    out.push(notSupported(at.child('volumeMode'), mode, VOLUME_MODES));
  checkDataSource(out, at.child('dataSource'), spec?.dataSource, anyGroup);
  checkDataSource(out, at.child('dataSourceRef'), spec?.dataSourceRef, anyGroup);
  const { dataSource, dataSourceRef } = spec ?? {};
  if (dataSourceRef?.namespace) {
    if (dataSource !== undefined)
      out.push(invalid(at, {}, 'may not be specified when dataSourceRef.namespace is specified'));
  } else if (dataSource !== undefined && dataSourceRef !== undefined) {
    const same =
      dataSource.apiGroup === dataSourceRef.apiGroup &&
      dataSource.kind === dataSourceRef.kind &&
      dataSource.name === dataSourceRef.name;
    if (!same) out.push(invalid(at, {}, 'must match dataSourceRef'));
  }
  if (spec?.volumeAttributesClassName)
    checkDnsSubdomain(out, at.child('volumeAttributesClassName'), spec.volumeAttributesClassName);
}

/** Warnings of a claim's spec at `at`, in a PersistentVolumeClaim or a generic ephemeral volume. */
export function claimSpecWarnings(spec: ClaimSpec | undefined, at: string): string[] {
  return (['requests', 'limits'] as const).flatMap(which => {
    const amount = spec?.resources?.[which]?.['storage'];
    if (amount === undefined || isWhole(amount)) return [];
    return [`${at}.resources.${which}[storage]: fractional byte value "${amount}" is invalid, must be an integer`];
  });
}
