import type * as k8s from '@kubernetes/client-node';
import { formatTime } from '../../machinery/clock.js';
import { humanDuration } from '../../machinery/duration.js';
import { duplicate, errorList, forbidden, invalid, notSupported, path, required } from '../../machinery/field-error.js';
import type { FieldError } from '../../machinery/field-error.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject, Wire } from '../../machinery/types.js';
import type { NameCheck } from '../../machinery/validation/names.js';
import { certificatesProblem, parseCertificateRequest } from '../../machinery/x509/certificate-request.js';
import type { PartSubresource, Strategy } from '../../api/strategy.js';
import { list } from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { checkSignerName } from './validation/signer-name.js';
import { jsonDiff } from '../validation/spec-diff.js';
import { ageCell, nameCell, NONE } from '../cells.js';
import { createRepeatCheck } from '../../machinery/repeats.js';

type Condition = Wire<k8s.V1CertificateSigningRequestCondition>;
interface Request extends KubeObject {
  spec: Wire<k8s.V1CertificateSigningRequestSpec>;
  status?: { certificate?: string; conditions?: Condition[] };
}
type ReadonlyRequest = DeepReadonly<Request>;

const SPEC = path('spec');
const CONDITIONS = path('status', 'conditions');
const CERTIFICATE = path('status', 'certificate');
const MIN_SECONDS = 600;
const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown';
const APPROVED = 'Approved';
const DENIED = 'Denied';
const FAILED = 'Failed';

const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];

/** Requests may be called anything. */
const anyName: NameCheck = () => [];

const decoded = (base64: string): string => Buffer.from(base64, 'base64').toString('latin1');

/** Null: the wire carries it for no bytes. */
function requestProblem(base64: string | null | undefined): string | undefined {
  try {
    return parseCertificateRequest(decoded(base64 ?? '')).signatureProblem();
  } catch (error) {
    return (error as Error).message;
  }
}

const duplicates = (names: readonly string[]): boolean => new Set(names).size < names.length;

/** What was already wrong with the stored object may stay so. */
interface Tolerated {
  readonly bothDecisions: boolean;
  readonly duplicateConditions: boolean;
  readonly emptyConditions: boolean;
  readonly certificate: boolean;
  readonly unknownUsages: boolean;
  readonly duplicateUsages: boolean;
  readonly legacySigner: boolean;
}

function toleratedFor(request: ReadonlyRequest, old: ReadonlyRequest | undefined): Tolerated {
  const types = list(old?.status?.conditions).map(({ type }) => type);
  const usages = list(old?.spec.usages);
  const certificate = old?.status?.certificate ?? '';
  return {
    bothDecisions: types.includes(APPROVED) && types.includes(DENIED),
    duplicateConditions: duplicates(types),
    emptyConditions: types.includes(''),
    certificate:
      old !== undefined &&
      (certificate === (request.status?.certificate ?? '') || certificatesProblem(decoded(certificate)) !== undefined),
    unknownUsages: usages.some(usage => !USAGES.includes(usage)),
    duplicateUsages: duplicates(usages),
    legacySigner: old?.spec.signerName === LEGACY_SIGNER,
  };
}

function checkSpec(out: FieldError[], spec: ReadonlyRequest['spec'], tolerated: Tolerated): void {
  const problem = requestProblem(spec.request);
  if (problem !== undefined) out.push(invalid(SPEC.child('request'), spec.request, problem));
  const usages = list(spec.usages);
  const at = SPEC.child('usages');
  if (usages.length === 0) out.push(required(at));
  usages.forEach((usage, i) => {
    if (!tolerated.unknownUsages && !USAGES.includes(usage)) out.push(notSupported(at.index(i), usage, USAGES));
  });
  const again = createRepeatCheck<string>();
  usages.forEach((usage, i) => {
    if (again(usage) && !tolerated.duplicateUsages) out.push(duplicate(at.index(i), usage));
  });
  if (!tolerated.legacySigner && spec.signerName === LEGACY_SIGNER) {
    const text = 'the legacy signerName is not allowed via this API version';
    out.push(invalid(SPEC.child('signerName'), spec.signerName, text));
  } else checkSignerName(out, SPEC.child('signerName'), spec.signerName);
  const seconds = spec.expirationSeconds;
  if (seconds !== undefined && seconds < MIN_SECONDS) {
    const text = 'may not specify a duration less than 600 seconds (10 minutes)';
    out.push(invalid(SPEC.child('expirationSeconds'), seconds, text));
  }
}

const DECISIVE = [APPROVED, DENIED, FAILED];

function checkConditions(out: FieldError[], conditions: readonly Condition[], tolerated: Tolerated): void {
  const seen = new Set<string>();
  conditions.forEach(({ type, status }, i) => {
    const at = CONDITIONS.index(i);
    if (type === '' && !tolerated.emptyConditions) out.push(required(at.child('type')));
    const allowed = DECISIVE.includes(type) ? ['True'] : ['False', 'True', 'Unknown'];
    if (status === '') out.push(required(at.child('status')));
    else if (!allowed.includes(status)) out.push(notSupported(at.child('status'), status, allowed));
    const opposite = type === APPROVED ? DENIED : type === DENIED ? APPROVED : undefined;
    if (!tolerated.bothDecisions && opposite !== undefined && seen.has(opposite))
      out.push(invalid(CONDITIONS, type, 'Approved and Denied conditions are mutually exclusive'));
    if (seen.has(type) && !tolerated.duplicateConditions) out.push(duplicate(at.child('type'), type));
    seen.add(type);
  });
}

function checkRequest(request: ReadonlyRequest, old?: ReadonlyRequest): FieldError[] {
  const out = errorList();
  const tolerated = toleratedFor(request, old);
  checkSpec(out, request.spec, tolerated);
  checkConditions(out, list(request.status?.conditions), tolerated);
  const problem = tolerated.certificate ? undefined : certificatesProblem(decoded(request.status?.certificate ?? ''));
  if (problem !== undefined) out.push(invalid(CERTIFICATE, '<certificate data>', problem));
  return out;
}

const ofType = (request: ReadonlyRequest, type: string): readonly DeepReadonly<Condition>[] =>
  list(request.status?.conditions).filter(condition => condition.type === type);

const goConditions = (conditions: readonly DeepReadonly<Condition>[]): unknown =>
  conditions.map(condition => goForm('CertificateCondition', condition));

/** Decisions are made through /approval only. */
function checkDecisionsUnchanged(out: FieldError[], now: ReadonlyRequest, old: ReadonlyRequest): void {
  for (const type of [APPROVED, DENIED]) {
    const [before, after] = [ofType(old, type), ofType(now, type)];
    if (after.length > before.length)
      out.push(forbidden(CONDITIONS, `updates may not add a condition of type "${type}"`));
    else if (after.length === before.length && !semanticEqual(after, before)) {
      const diff = jsonDiff(goConditions(before), goConditions(after));
      out.push(forbidden(CONDITIONS, `updates may not modify a condition of type "${type}"\n${diff}`));
    }
  }
}

/** `may`: what this endpoint is for. */
function checkUpdate(now: ReadonlyRequest, old: ReadonlyRequest, may?: 'decide' | 'issue'): FieldError[] {
  const out = errorList();
  checkMetadataAgain(out, now, { namespaced: false, name: anyName });
  for (const one of checkRequest(now, old)) out.push(one);
  for (const type of DECISIVE)
    if (ofType(now, type).length < ofType(old, type).length)
      out.push(forbidden(CONDITIONS, `updates may not remove a condition of type "${type}"`));
  if (may !== 'decide') checkDecisionsUnchanged(out, now, old);
  const [before, after] = [old.status?.certificate ?? '', now.status?.certificate ?? ''];
  if (before === after) return out;
  if (may !== 'issue') out.push(forbidden(CERTIFICATE, 'updates may not set certificate content'));
  else if (before !== '') out.push(forbidden(CERTIFICATE, 'updates may not modify existing certificate content'));
  return out;
}

/** Mutates: conditions say when they came to be. */
function stampConditions(conditions: Condition[], old: readonly DeepReadonly<Condition>[], now: string): void {
  const keyOf = ({ type, status }: Pick<Condition, 'type' | 'status'>): string => JSON.stringify([type, status]);
  const before = new Map<string, string>();
  for (const condition of old) {
    const key = keyOf(condition);
    if (condition.lastTransitionTime !== undefined && !before.has(key)) before.set(key, condition.lastTransitionTime);
  }
  for (const condition of conditions) {
    condition.lastUpdateTime ??= now;
    condition.lastTransitionTime ??= before.get(keyOf(condition)) ?? now;
  }
}

/** Mutates: decisions that were neither added nor removed stay as they were made. */
function keepDecisions(conditions: Condition[], old: ReadonlyRequest): void {
  for (const type of [APPROVED, DENIED]) {
    const before = ofType(old, type);
    const places = conditions.flatMap((condition, i) => (condition.type === type ? [i] : []));
    if (places.length !== before.length) continue;
    places.forEach((place, i) => (conditions[place] = { ...before[i] } as Condition));
  }
}

const part = (may: 'decide' | 'issue'): PartSubresource => ({
  kind: 'part',
  prepareForUpdate(ctx, object, old) {
    const conditions = (object as Request).status?.conditions;
    if (conditions === undefined) return;
    const before = old as ReadonlyRequest;
    if (may === 'issue') keepDecisions(conditions, before);
    stampConditions(conditions, list(before.status?.conditions), formatTime(ctx.clock.now()));
  },
  validateUpdate: (_ctx, object, old) => checkUpdate(object as ReadonlyRequest, old as ReadonlyRequest, may),
});

function stateCell(request: ReadonlyRequest): string {
  const has = (type: string): boolean => ofType(request, type).length > 0;
  const decision = has(DENIED) ? 'Denied' : has(APPROVED) ? 'Approved' : 'Pending';
  return decision + (has(FAILED) ? ',Failed' : '') + (request.status?.certificate ? ',Issued' : '');
}

export const certificateSigningRequestStrategy: Strategy<Request> = {
  prepareForCreate(ctx, request) {
    const { username: _name, uid: _uid, groups: _groups, extra: _extra, ...asked } = request.spec;
    const { name, uid, groups, extra } = ctx.user;
    request.spec = {
      ...asked,
      ...(name === '' ? {} : { username: name }),
      ...(uid ? { uid } : {}),
      ...(groups.length === 0 ? {} : { groups: [...groups] }),
      ...(extra === undefined || Object.keys(extra).length === 0
        ? {}
        : { extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])) }),
    };
    request.status = {};
  },
  validate: (_ctx, request) => checkRequest(request),
  validateUpdate: (_ctx, request, old) => checkUpdate(request, old),
  cells(request, nowMs) {
    const { signerName, username, expirationSeconds: seconds } = request.spec;
    return {
      cells: [
        nameCell(request),
        ageCell(request, nowMs),
        signerName || NONE,
        username ?? '',
        seconds === undefined ? NONE : humanDuration(seconds * 1000),
        stateCell(request),
      ],
    };
  },
  subresources: { approval: part('decide'), status: part('issue') },
};
