interface Claim {
  spec?: { volumeMode?: string };
  status?: { phase?: string };
}

/** Defaults of a PersistentVolumeClaim, by itself or as a template. Mutates. */
export function defaultClaim(claim: Claim): void {
  (claim.spec ??= {}).volumeMode ??= 'Filesystem';
  (claim.status ??= {}).phase ||= 'Pending';
}
