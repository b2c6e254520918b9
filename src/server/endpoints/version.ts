/** The Kubernetes release whose API is served. */
export const MAJOR = '1';
export const MINOR = '35';

/** version.Info as /version answers it. */
export const versionInfo = {
  major: MAJOR,
  minor: MINOR,
  emulationMajor: MAJOR,
  emulationMinor: MINOR,
  minCompatibilityMajor: MAJOR,
  minCompatibilityMinor: '34',
  gitVersion: 'v1.35.6+kubette',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '2026-01-01T00:00:00Z',
  goVersion: `node${process.version.slice(1)}`,
  compiler: 'tsc',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
} as const;
