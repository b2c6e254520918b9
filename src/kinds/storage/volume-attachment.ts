import type * as k8s from '@kubernetes/client-node';
import { errorList, forbidden, invalid, path, required, tooLong } from '../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../machinery/field-error.js';
import { goLength } from '../../machinery/go-text.js';
import type { DeepReadonly, KubeObject, Wire } from '../../machinery/types.js';
import { nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import type { Strategy } from '../../api/strategy.js';
import { checkCsiDriverName } from './validation/csi.js';
import { checkDnsSubdomain, checkImmutable } from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { checkVolumeSpec } from '../core/validation/persistent-volume.js';

const SPEC = path('spec');
const CLUSTER = { namespaced: false, name: nameIsDnsSubdomain };

interface Attachment extends KubeObject {
  spec: Wire<k8s.V1VolumeAttachmentSpec>;
  status?: Wire<k8s.V1VolumeAttachmentStatus>;
}

const MAX_METADATA_BYTES = 256 * 1024;
const MAX_MESSAGE = 1024;

function checkVolumeError(out: FieldError[], at: FieldPath, error: Wire<k8s.V1VolumeError> | undefined): void {
  if (error === undefined) return;
  // Upstream names the bound of the metadata in this message.
  if (goLength(error.message ?? '') > MAX_MESSAGE) out.push(tooLong(at.child('message'), MAX_METADATA_BYTES));
  if (error.errorCode !== undefined && error.errorCode < 0)
    out.push(invalid(at.child('errorCode'), error.errorCode, `must be between 0 and ${2 ** 31 - 1}, inclusive`));
}

function checkAttachmentSource(out: FieldError[], source: DeepReadonly<Attachment>['spec']['source']): void {
  const at = SPEC.child('source');
  const { inlineVolumeSpec: inline, persistentVolumeName: name } = source;
  const oneOf = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
  if (inline === undefined && name === undefined) out.push(required(at, oneOf));
  else if (inline !== undefined && name !== undefined) out.push(forbidden(at, oneOf));
  else if (name === '')
    out.push(required(at.child('persistentVolumeName'), 'must specify non empty persistentVolumeName'));
  else if (inline !== undefined)
    checkVolumeSpec(out, inline, { root: at.child('inlineVolumeSpec'), name: '', inline: true });
}

function checkAttachment({ spec, status }: DeepReadonly<Attachment>): FieldError[] {
  const out = errorList();
  if (spec.attacher === '') out.push(required(SPEC.child('attacher')));
  checkAttachmentSource(out, spec.source);
  checkDnsSubdomain(out, SPEC.child('nodeName'), spec.nodeName);
  const at = path('status');
  let size = 0;
  for (const [key, value] of Object.entries(status?.attachmentMetadata ?? {})) size += goLength(key) + goLength(value);
  if (size > MAX_METADATA_BYTES) out.push(tooLong(at.child('attachmentMetadata'), MAX_METADATA_BYTES));
  checkVolumeError(out, at.child('attachError'), status?.attachError);
  checkVolumeError(out, at.child('detachError'), status?.detachError);
  return out;
}

function checkAttachmentUpdate(now: DeepReadonly<Attachment>, old: DeepReadonly<Attachment>): FieldError[] {
  const out = errorList();
  checkMetadataAgain(out, now, CLUSTER);
  for (const one of checkAttachment(now)) out.push(one);
  const { spec } = now;
  checkImmutable(out, SPEC, spec, old.spec, goForm('VolumeAttachmentSpec', spec));
  return out;
}

export const volumeAttachmentStrategy: Strategy<Attachment> = {
  validate(_ctx, attachment) {
    const out = checkAttachment(attachment);
    const { attacher, source } = attachment.spec;
    checkCsiDriverName(out, SPEC.child('attacher'), attacher);
    if (source.persistentVolumeName !== undefined)
      checkDnsSubdomain(out, SPEC.child('source', 'persistentVolumeName'), source.persistentVolumeName);
    return out;
  },
  validateUpdate: (_ctx, attachment, old) => checkAttachmentUpdate(attachment, old),
  subresources: {
    status: {
      kind: 'part',
      validateUpdate: (_ctx, object, old) =>
        checkAttachmentUpdate(object as DeepReadonly<Attachment>, old as DeepReadonly<Attachment>),
    },
  },
};
