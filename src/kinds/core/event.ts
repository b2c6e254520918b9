import { humanAge } from '../../machinery/duration.js';
import { errorList, invalid, path, required, type FieldError } from '../../machinery/field-error.js';
import type { CoreEvent, DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { Strategy } from '../../api/strategy.js';
import type { Row } from '../../api/columns.js';
import { checkDnsLabel, checkImmutable, checkQualifiedName } from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { UNKNOWN } from '../cells.js';

/** An Event as events.k8s.io/v1 has it. Both groups share storage, in the form of the core group. */
export type NewEvent = KubeObject;

type Version = 'v1' | 'events.k8s.io/v1';
type ReadonlyEvent = DeepReadonly<CoreEvent>;

/** events.k8s.io name → core name; what is not listed has the same name in both. */
const RENAMED: readonly (readonly [event: string, core: string])[] = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
];
const TO_CORE = new Map(RENAMED);
const FROM_CORE = new Map(RENAMED.map(([event, core]) => [core, event]));
/** Always written by the one side, omitted when empty by the other. */
const EMPTY_IN_CORE = { involvedObject: {}, source: {}, firstTimestamp: null, lastTimestamp: null, eventTime: null };
const EMPTY_IN_EVENTS = {
  eventTime: null,
  regarding: {},
  deprecatedSource: {},
  deprecatedFirstTimestamp: null,
  deprecatedLastTimestamp: null,
};

const CORE_ORDER = [
  'kind',
  'apiVersion',
  'metadata',
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'type',
  'eventTime',
  'series',
  'action',
  'related',
  'reportingComponent',
  'reportingInstance',
];
const EVENTS_ORDER = [
  'kind',
  'apiVersion',
  'metadata',
  'eventTime',
  'series',
  'reportingController',
  'reportingInstance',
  'action',
  'reason',
  'regarding',
  'related',
  'note',
  'type',
  'deprecatedSource',
  'deprecatedFirstTimestamp',
  'deprecatedLastTimestamp',
  'deprecatedCount',
];

/** Renames and orders the fields of `object`; values are shared. */
function convert(
  object: KubeObject,
  names: ReadonlyMap<string, string>,
  order: readonly string[],
  always: Readonly<Record<string, unknown>>,
): KubeObject {
  const renamed: Record<string, unknown> = { ...always };
  for (const [key, value] of Object.entries(object)) renamed[names.get(key) ?? key] = value;
  const out: Record<string, unknown> = {};
  for (const key of order) if (renamed[key] !== undefined) out[key] = renamed[key];
  return out as unknown as KubeObject;
}

export function toCoreEvent(event: NewEvent): KubeObject {
  const always = { ...EMPTY_IN_CORE, reportingComponent: '', reportingInstance: '' };
  return { ...convert(event, TO_CORE, CORE_ORDER, always), apiVersion: 'v1' };
}

export function fromCoreEvent(event: KubeObject): NewEvent {
  const out = convert(event, FROM_CORE, EVENTS_ORDER, EMPTY_IN_EVENTS);
  out.apiVersion = 'events.k8s.io/v1';
  for (const key of ['reportingController', 'reportingInstance']) if (out[key] === '') delete out[key];
  return out;
}

const MAX_WORD = 128;
const MAX_MESSAGE = 1024;

function checkWord(out: FieldError[], field: string, value: string): void {
  if (value === '') out.push(required(path(field)));
  checkLength(out, field, value, MAX_WORD);
}

function checkLength(out: FieldError[], field: string, value: string, max: number): void {
  if (Buffer.byteLength(value) > max) out.push(invalid(path(field), '', `can have at most ${max} characters`));
}

function checkBasics(out: FieldError[], event: ReadonlyEvent, version: Version): void {
  const namespace = event.metadata.namespace ?? '';
  const about = event.involvedObject.namespace ?? '';
  const mismatch = (): void =>
    void out.push(invalid(path('involvedObject', 'namespace'), about, 'does not match event.namespace'));
  if (!event.eventTime) {
    if (about === '' ? namespace !== '' && namespace !== 'default' : namespace !== about) mismatch();
  } else {
    if (about === '' && namespace !== 'default' && namespace !== 'kube-system') mismatch();
    const field = version === 'v1' ? 'reportingComponent' : 'reportingController';
    const controller = event.reportingComponent ?? '';
    if (controller === '') out.push(required(path(field)));
    checkQualifiedName(out, path(field), controller);
    checkWord(out, 'reportingInstance', event.reportingInstance ?? '');
    checkWord(out, 'action', event.action ?? '');
    checkWord(out, 'reason', event.reason ?? '');
    checkLength(out, 'message', event.message ?? '', MAX_MESSAGE);
  }
  if (namespace !== '') checkDnsLabel(out, path('namespace'), namespace);
}

function checkSeries(out: FieldError[], event: ReadonlyEvent): void {
  if (event.series === undefined) return;
  if ((event.series.count ?? 0) < 2) out.push(invalid(path('series', 'count'), '', 'should be at least 2'));
  if (!event.series.lastObservedTime) out.push(required(path('series', 'lastObservedTime')));
}

function checkCreate(event: ReadonlyEvent, version: Version): FieldError[] {
  const out = errorList();
  checkBasics(out, event, version);
  if (version === 'v1') return out;
  checkSeries(out, event);
  if (!event.eventTime) out.push(required(path('eventTime')));
  if (event.type !== 'Normal' && event.type !== 'Warning')
    out.push(invalid(path('type'), '', `has invalid value: ${event.type ?? ''}`));
  const unset = 'needs to be unset';
  if (event.firstTimestamp) out.push(invalid(path('firstTimestamp'), '', unset));
  if (event.lastTimestamp) out.push(invalid(path('lastTimestamp'), '', unset));
  if (event.count) out.push(invalid(path('count'), '', unset));
  if (event.source?.component || event.source?.host) out.push(invalid(path('source'), '', unset));
  return out;
}

/** In upstream's order; it checks the reason twice. */
const FIXED = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'reason',
  'type',
] as const;
const FIXED_LATE = ['action', 'related'] as const;

/** A value as upstream's internal type prints it. */
function asGo(field: string, value: unknown): unknown {
  switch (field) {
    case 'involvedObject':
      return goForm('EventObjectReference', value);
    case 'related':
      return value === undefined ? null : goForm('EventObjectReference', value);
    case 'source':
      return goForm('EventSource', value);
    case 'count':
      return value ?? 0;
    case 'firstTimestamp':
    case 'lastTimestamp':
      return value ?? null;
    default:
      return value ?? '';
  }
}

function checkUpdate(event: ReadonlyEvent, old: ReadonlyEvent, version: Version): FieldError[] {
  const out = errorList();
  checkBasics(out, event, version);
  if (version === 'v1') return out;
  if (JSON.stringify(event.series) !== JSON.stringify(old.series)) checkSeries(out, event);
  const fixed = (field: (typeof FIXED)[number] | (typeof FIXED_LATE)[number] | 'reportingInstance'): void =>
    checkImmutable(out, path(field), event[field], old[field], asGo(field, event[field]));
  FIXED.forEach(fixed);
  checkImmutable(out, path('eventTime'), event.eventTime, old.eventTime);
  FIXED_LATE.forEach(fixed);
  checkImmutable(out, path('reportingController'), event.reportingComponent, old.reportingComponent);
  fixed('reportingInstance');
  return out;
}

/** How long ago; the age of an event series is that of its last occurrence. */
function since(time: string | undefined | null, nowMs: number): string {
  return time ? humanAge(time, nowMs) : UNKNOWN;
}

function row(event: ReadonlyEvent, nowMs: number): Row {
  const { involvedObject, source, series } = event;
  const eventTime = event.eventTime as string | undefined | null;
  const first = event.firstTimestamp ? since(event.firstTimestamp, nowMs) : since(eventTime, nowMs);
  let last = event.lastTimestamp ? since(event.lastTimestamp, nowMs) : first;
  let count = event.count ?? 0;
  if (series !== undefined) {
    last = since(series.lastObservedTime, nowMs);
    count = series.count ?? 0;
  } else if (count === 0) count = 1;
  const kind = (involvedObject.kind ?? '').toLowerCase();
  const about = involvedObject.name ? `${kind}/${involvedObject.name}` : kind;
  const component = source?.component || event.reportingComponent || '';
  const host = source?.host || event.reportingInstance || '';
  return {
    cells: [
      last,
      event.type ?? '',
      event.reason ?? '',
      about,
      involvedObject.fieldPath ?? '',
      host === '' ? component : `${component}, ${host}`,
      (event.message ?? '').trim(),
      first,
      count,
      event.metadata.name ?? '',
    ],
  };
}

const NO_OBJECT: ReadonlyEvent['involvedObject'] = {};

/** A frozen core form for checks and tables. */
const asCore = (event: DeepReadonly<KubeObject>): ReadonlyEvent =>
  toCoreEvent(event as KubeObject) as unknown as ReadonlyEvent;

/** Selectable: the reporting component of either generation of events. */
const fieldsOf = (event: ReadonlyEvent): Record<string, string> => ({
  source: event.source?.component || event.reportingComponent || '',
  reportingComponent: event.reportingComponent || '',
});

export const coreEventStrategy: Strategy<CoreEvent> = {
  default(event) {
    (event as { involvedObject?: unknown }).involvedObject ??= { ...NO_OBJECT };
  },
  validate: (_ctx, event) => checkCreate(event, 'v1'),
  validateUpdate: (_ctx, event, old) => checkUpdate(event, old, 'v1'),
  fields: fieldsOf,
  cells: row,
};

export const eventsEventStrategy: Strategy = {
  validate: (_ctx, event) => checkCreate(asCore(event), 'events.k8s.io/v1'),
  validateUpdate: (_ctx, event, old) => checkUpdate(asCore(event), asCore(old), 'events.k8s.io/v1'),
  fields: event => fieldsOf(asCore(event)),
  cells: (event, nowMs) => row(asCore(event), nowMs),
  toStorage: toCoreEvent,
  fromStorage: fromCoreEvent,
};
