import { podProxy } from '../proxy.js';
import { errorList, forbidden, invalid, notSupported, path } from '../../../machinery/field-error.js';
import { quote } from '../../../machinery/go-text.js';
import { badRequestError, invalidError, notFoundError } from '../../../machinery/status.js';
import type { DeepReadonly, ObjectKey, Pod } from '../../../machinery/types.js';
import type { ConnectSubresource, KubeletTarget, RequestContext } from '../../../api/strategy.js';
import { NEGATIVE } from '../../validation/formats.js';

type ReadonlyPod = DeepReadonly<Pod>;

function podOf(ctx: RequestContext, key: ObjectKey): ReadonlyPod {
  const pod = ctx.objects.get('pods', key);
  if (pod === undefined) throw notFoundError({ group: '', resource: 'pods' }, key.name);
  return pod;
}

const names = (containers: readonly { readonly name: string }[] | undefined): string[] =>
  (containers ?? []).map(container => container.name);

/** The container asked for, or the only one. @throws StatusError 400 */
function containerOf(pod: ReadonlyPod, asked: string): string {
  const { name = '' } = pod.metadata;
  const [containers, init] = [names(pod.spec?.containers), names(pod.spec?.initContainers)];
  if (asked === '') {
    const [first] = containers;
    if (first !== undefined && containers.length === 1) return first;
    if (first === undefined) throw badRequestError(`a container name must be specified for pod ${name}`);
    const inits = init.length === 0 ? '' : ` or one of the init containers: [${init.join(' ')}]`;
    throw badRequestError(
      `a container name must be specified for pod ${name}, choose one of: [${containers.join(' ')}]${inits}`,
    );
  }
  if (![...containers, ...init, ...names(pod.spec?.ephemeralContainers)].includes(asked))
    throw badRequestError(`container ${asked} is not valid for pod ${name}`);
  return asked;
}

/** As url query booleans convert: only "0" and "false" are false. */
const isTrue = (query: URLSearchParams, name: string): boolean => {
  const value = query.get(name);
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
};

/** @throws StatusError 400 with strconv's text */
function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^[+-]?\d+$/.test(text))
    throw badRequestError(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

const STREAMS = ['All', 'Stderr', 'Stdout'];

/** PodLogOptions of a query. @throws StatusError 400, 422 */
function logQuery(query: URLSearchParams, podName: string): URLSearchParams {
  const tailLines = integer(query, 'tailLines');
  const limitBytes = integer(query, 'limitBytes');
  const sinceSeconds = integer(query, 'sinceSeconds');
  const sinceTime = query.get('sinceTime');
  const stream = query.get('stream');
  const errors = errorList();
  if (tailLines !== undefined && tailLines < 0) errors.push(invalid(path('tailLines'), tailLines, NEGATIVE));
  if (limitBytes !== undefined && limitBytes < 1)
    errors.push(invalid(path('limitBytes'), limitBytes, 'must be greater than 0'));
  if (sinceSeconds !== undefined && sinceTime)
    errors.push(forbidden('[]', 'at most one of `sinceTime` or `sinceSeconds` may be specified'));
  else if (sinceSeconds !== undefined && sinceSeconds < 1)
    errors.push(invalid(path('sinceSeconds'), sinceSeconds, 'must be greater than 0'));
  if (stream !== null && stream !== '') {
    if (!STREAMS.includes(stream)) errors.push(notSupported(path('stream'), stream, STREAMS));
    if (stream !== 'All' && tailLines !== undefined)
      errors.push(forbidden('[]', '`tailLines` and specific `stream` are mutually exclusive for now'));
  }
  if (errors.length > 0) throw invalidError({ group: '', kind: 'PodLogOptions' }, podName, errors);
  const out = new URLSearchParams();
  for (const flag of ['follow', 'previous', 'timestamps']) if (isTrue(query, flag)) out.set(flag, 'true');
  for (const name of ['sinceSeconds', 'sinceTime', 'tailLines', 'limitBytes']) {
    const value = query.get(name);
    if (value !== null && value !== '') out.set(name, value);
  }
  if (stream !== null && stream !== '' && stream !== 'All') out.set('stream', stream);
  return out;
}

const encode = (...parts: string[]): string => parts.map(encodeURIComponent).join('/');

function target(node: string, at: string, query: URLSearchParams, upgrade: boolean): KubeletTarget {
  const text = query.toString();
  return { kind: 'kubelet', node, path: text === '' ? at : `${at}?${text}`, upgrade };
}

/** @throws StatusError 400 */
function hostOf(pod: ReadonlyPod): string {
  const node = pod.spec?.nodeName;
  if (!node) throw badRequestError(`pod ${pod.metadata.name ?? ''} does not have a host assigned`);
  return node;
}

const log: ConnectSubresource = {
  kind: 'connect',
  target(ctx, key, query) {
    const options = logQuery(query, key.name);
    const pod = podOf(ctx, key);
    const container = containerOf(pod, query.get('container') ?? '');
    const node = pod.spec?.nodeName;
    if (!node) return undefined;
    return target(node, `/containerLogs/${encode(key.namespace, key.name, container)}`, options, false);
  },
};

/** What admission is shown of an exec or attach. */
const streamOptions =
  (kind: 'PodExecOptions' | 'PodAttachOptions'): NonNullable<ConnectSubresource['options']> =>
  query => {
    const flags = ['stdin', 'stdout', 'stderr', 'tty'].filter(name => isTrue(query, name));
    const container = query.get('container') ?? '';
    const command = kind === 'PodExecOptions' ? query.getAll('command') : [];
    return {
      apiVersion: 'v1',
      kind,
      metadata: {},
      ...Object.fromEntries(flags.map(name => [name, true])),
      ...(container === '' ? {} : { container }),
      ...(command.length === 0 ? {} : { command }),
    };
  };

/** exec and attach: the kubelet calls the streams otherwise than the API. */
function streams(kind: 'exec' | 'attach'): ConnectSubresource {
  return {
    kind: 'connect',
    needs: 'create',
    options: streamOptions(kind === 'exec' ? 'PodExecOptions' : 'PodAttachOptions'),
    target(ctx, key, query) {
      const pod = podOf(ctx, key);
      const container = containerOf(pod, query.get('container') ?? '');
      const node = hostOf(pod);
      const out = new URLSearchParams();
      for (const [asked, kubelet] of [
        ['stdin', 'input'],
        ['stdout', 'output'],
        ['stderr', 'error'],
        ['tty', 'tty'],
      ] as const)
        if (isTrue(query, asked)) out.set(kubelet, '1');
      if (kind === 'exec') for (const word of query.getAll('command')) out.append('command', word);
      return target(node, `/${kind}/${encode(key.namespace, key.name, container)}`, out, true);
    },
  };
}

/** Ports, each a parameter or several with commas between (apimachinery Convert_Slice_string_To_Slice_int32). @throws StatusError 400 */
function portsOf(query: URLSearchParams): number[] {
  return query.getAll('ports').flatMap(list =>
    list.split(',').map(text => {
      const problem = !/^\d+$/.test(text) ? 'invalid syntax' : Number(text) > 65_535 ? 'value out of range' : undefined;
      if (problem === undefined) return Number(text);
      throw badRequestError(`cannot convert to []int32: strconv.ParseUint: parsing ${quote(text)}: ${problem}`);
    }),
  );
}

const portforward: ConnectSubresource = {
  kind: 'connect',
  needs: 'create',
  options(query) {
    const ports = portsOf(query);
    return { apiVersion: 'v1', kind: 'PodPortForwardOptions', metadata: {}, ...(ports.length === 0 ? {} : { ports }) };
  },
  target(ctx, key, query) {
    const node = hostOf(podOf(ctx, key));
    const out = new URLSearchParams();
    for (const port of portsOf(query)) out.append('port', String(port));
    return target(node, `/portForward/${encode(key.namespace, key.name)}`, out, true);
  },
};

export const podConnections: Readonly<Record<string, ConnectSubresource>> = {
  log,
  exec: streams('exec'),
  attach: streams('attach'),
  portforward,
  proxy: podProxy,
};
