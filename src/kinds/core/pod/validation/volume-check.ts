import type { FieldError, FieldPath } from '../../../../machinery/field-error.js';
import type { DeepReadonly, PodSpec } from '../../../../machinery/types.js';

export type Volume = NonNullable<DeepReadonly<PodSpec>['volumes']>[number];

export interface VolumeContext {
  /** metadata.name when the spec belongs to a real Pod: generic ephemeral volumes name their claims after it. */
  readonly podName: string | undefined;
  readonly isPod: boolean;
}

export type Check = (out: FieldError[], at: FieldPath, volume: Volume, ctx: VolumeContext) => void;

export interface VolumeCheck {
  readonly source: keyof Volume;
  /** Upstream's spelling of the path where it differs from the field. */
  readonly as?: string;
  /** The same where the source is one too many. */
  readonly extraAs?: string;
  readonly check: Check;
  /** Runs in any case. `at` is the volume. */
  readonly always?: Check;
}
