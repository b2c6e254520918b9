import { getAt, setAt } from '../paths.js';

/** What somebody whom the API server asks answers at one path; the first of these that is there says it. */
export interface Behaviour {
  readonly delayMs?: number;
  readonly close?: boolean;
  readonly partial?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  readonly status?: number;
  readonly json?: unknown;
  readonly text?: string;
  /** JSON with the request as it has arrived. */
  readonly echoRequest?: boolean;
  /** A watch that ends after these events. */
  readonly stream?: readonly unknown[];
  readonly convert?: Conversion;
  /** The rest is about an AdmissionReview. */
  readonly allowed?: boolean;
  readonly response?: Readonly<Record<string, unknown>>;
  readonly review?: Readonly<Record<string, unknown>>;
  readonly patch?: unknown;
  readonly patchText?: string;
  readonly echo?: readonly string[];
  /** One after another, the last one for good. */
  readonly sequence?: readonly Behaviour[];
  /** It holds for every path that begins with this one. */
  readonly prefix?: boolean;
}

interface Conversion {
  readonly fn?: 'hostPort' | 'none';
  readonly set?: Readonly<Record<string, unknown>>;
  readonly drop?: number;
  readonly repeat?: number;
  readonly reverse?: boolean;
  readonly response?: Readonly<Record<string, unknown>>;
  readonly review?: Readonly<Record<string, unknown>>;
}

interface Custom {
  apiVersion?: string;
  spec?: Record<string, unknown>;
}

interface Review {
  readonly apiVersion?: string;
  readonly request?: {
    readonly uid?: string;
    readonly desiredAPIVersion?: string;
    readonly objects?: readonly Custom[];
  };
}

const present = (object: object): object =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== undefined));

/** v1 has spec.host and spec.port, any other version spec.hostPort. */
function hostPort(object: Custom, apiVersion: string): Custom {
  const { spec } = object;
  object.apiVersion = apiVersion;
  const isV1 = apiVersion.endsWith('/v1');
  if (isV1 && typeof spec?.['hostPort'] === 'string') {
    const [host, port] = spec['hostPort'].split(':');
    delete spec['hostPort'];
    Object.assign(spec, { host }, port === undefined || port === '' ? {} : { port });
  }
  if (!isV1 && typeof spec?.['host'] === 'string') {
    const { host, port } = spec as { host: string; port?: string | number };
    delete spec['host'];
    delete spec['port'];
    spec['hostPort'] = port === undefined ? host : `${host}:${port}`;
  }
  return object;
}

export function conversionReview(
  { fn = 'hostPort', set = {}, drop = 0, repeat = 0, reverse = false, response, review }: Conversion,
  { apiVersion, request }: Review,
): object {
  const wanted = request?.desiredAPIVersion ?? '';
  let objects = structuredClone(request?.objects ?? []).map(object =>
    fn === 'none' ? { ...object, apiVersion: wanted } : hostPort(object, wanted),
  );
  for (const object of objects) for (const [path, value] of Object.entries(set)) setAt(object, path, value);
  if (drop > 0) objects = objects.slice(0, -drop);
  for (let i = 0; i < repeat; i++) objects.push(...objects.slice(0, 1));
  if (reverse) objects.reverse();
  const answer = { uid: request?.uid, result: { status: 'Success' }, convertedObjects: objects, ...response };
  return present({ kind: 'ConversionReview', apiVersion, response: present(answer), ...review });
}

export function admissionReview(behaviour: Behaviour, { apiVersion, request }: Review): object {
  const { allowed = true, response = {}, review, patch, patchText, echo = [] } = behaviour;
  const answer: Record<string, unknown> = { uid: request?.uid, allowed, ...response };
  const text = patchText ?? (patch === undefined ? undefined : JSON.stringify(patch));
  if (text !== undefined) {
    if (!('patchType' in response)) answer['patchType'] = 'JSONPatch';
    answer['patch'] = Buffer.from(text).toString('base64');
  }
  if (echo.length > 0) {
    const echoes = echo.map(path => `${path}=${JSON.stringify(getAt(request, path)) ?? 'absent'}`);
    answer['warnings'] = [...((answer['warnings'] as string[] | undefined) ?? []), ...echoes];
  }
  return present({ apiVersion, kind: 'AdmissionReview', response: present(answer), ...review });
}
