import { errorList, invalid, path, type FieldError } from '../../../machinery/field-error.js';

/** From lenient to strict. */
export const LEVELS = ['privileged', 'baseline', 'restricted'] as const;
export type Level = (typeof LEVELS)[number];

/** A level of the Pod Security Standards as of a minor version of Kubernetes 1; undefined: the latest. */
export interface Standard {
  readonly level: Level;
  readonly minor: number | undefined;
}

export type Mode = 'enforce' | 'audit' | 'warn';
export type Policy = Readonly<Record<Mode, Standard>>;

type Labels = Readonly<Record<string, string>> | undefined;

const PREFIX = 'pod-security.kubernetes.io/';
const UNSET: Standard = { level: 'privileged', minor: undefined };
const NONE: Policy = { enforce: UNSET, audit: UNSET, warn: UNSET };

export const strictness = (level: Level): number => LEVELS.indexOf(level);
export const sameStandard = (a: Standard, b: Standard): boolean => a.level === b.level && a.minor === b.minor;

/** `baseline:v1.30`, `restricted:latest`. */
export const formatStandard = ({ level, minor }: Standard): string =>
  `${level}:${minor === undefined ? 'latest' : `v1.${minor}`}`;

function parseMinor(text: string): number | undefined | 'bad' {
  if (text === 'latest') return undefined;
  const match = /^v1\.(0|[1-9]\d*)$/.exec(text);
  return match === null ? 'bad' : Number(match[1]);
}

/** What one mode's labels say; what cannot be read is the strictest for `enforce` and nothing for the others. */
function readMode(mode: Mode, labels: NonNullable<Labels>, errors: FieldError[]): Standard {
  const at = path('metadata', 'labels');
  const levelKey = PREFIX + mode;
  const versionKey = `${levelKey}-version`;
  let { level, minor } = UNSET;
  const wanted = labels[levelKey];
  if (wanted !== undefined) {
    const known = LEVELS.find(name => name === wanted);
    if (known === undefined) errors.push(invalid(at.key(levelKey), wanted, `must be one of ${LEVELS.join(', ')}`));
    level = known ?? (mode === 'enforce' ? 'restricted' : 'privileged');
  }
  const version = labels[versionKey];
  if (version !== undefined) {
    const parsed = parseMinor(version);
    if (parsed === 'bad') errors.push(invalid(at.key(versionKey), version, 'must be "latest" or "v1.x"'));
    else minor = parsed;
  }
  return { level, minor };
}

/** The policy that a namespace's labels ask for (k8s.io/pod-security-admission api, PolicyToEvaluate). */
export function policyOf(labels: Labels): { readonly policy: Policy; readonly errors: readonly FieldError[] } {
  if (labels === undefined || !Object.keys(labels).some(key => key.startsWith(PREFIX)))
    return { policy: NONE, errors: [] };
  const errors = errorList();
  const enforce = readMode('enforce', labels, errors);
  const levelIsClear = LEVELS.some(level => level === labels[`${PREFIX}enforce`]);
  const audit = readMode('audit', labels, errors);
  let warn = readMode('warn', labels, errors);
  // Who is refused at a level is warned at it, too, where nothing else is said.
  const follows = labels[`${PREFIX}warn`] === undefined && levelIsClear;
  if (follows && strictness(enforce.level) > strictness(warn.level)) {
    const own = labels[`${PREFIX}warn-version`] !== undefined;
    warn = { level: enforce.level, minor: own ? warn.minor : enforce.minor };
  }
  return { policy: { enforce, audit, warn }, errors };
}
