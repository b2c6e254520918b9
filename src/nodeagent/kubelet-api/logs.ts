import type { LogBuffer, LogOptions } from '../../containers/log-buffer.js';
import { drained } from '../../machinery/drained.js';
import type { ContainerRecord } from '../pods/types.js';
import { HttpError, type KubeletRoute } from './types.js';

const isTrue = (text: string | null): boolean => text !== null && text !== 'false' && text !== '0';

/** A query value that must be a whole number of at least `min`. @throws HttpError 400 */
function integer(query: URLSearchParams, name: string, min: number): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || value < min)
    throw new HttpError(400, `invalid value for ${name}: ${JSON.stringify(text)}`);
  return value;
}

/** @throws HttpError 400 */
export function logOptions(query: URLSearchParams, now: number): LogOptions & { previous: boolean } {
  const tailLines = integer(query, 'tailLines', 0);
  const limitBytes = integer(query, 'limitBytes', 1);
  const sinceSeconds = integer(query, 'sinceSeconds', 1);
  const sinceText = query.get('sinceTime');
  const sinceTime = sinceText === null || sinceText === '' ? undefined : Date.parse(sinceText);
  if (Number.isNaN(sinceTime)) throw new HttpError(400, `invalid value for sinceTime: ${JSON.stringify(sinceText)}`);
  const since = sinceTime ?? (sinceSeconds === undefined ? undefined : now - sinceSeconds * 1000);
  const stream = query.get('stream')?.toLowerCase();
  return {
    previous: isTrue(query.get('previous')),
    follow: isTrue(query.get('follow')),
    timestamps: isTrue(query.get('timestamps')),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(since === undefined ? {} : { since }),
    ...(stream === 'stdout' || stream === 'stderr' ? { stream } : {}),
  };
}

/** Which run's log is meant (kubelet validateContainerLogStatus). Undefined: that run left none. @throws HttpError 400 */
export function chooseLog(record: ContainerRecord, podName: string, previous: boolean): LogBuffer | undefined {
  const where = `container ${JSON.stringify(record.name)} in pod ${JSON.stringify(podName)}`;
  const { state, last } = record;
  if (previous) {
    if (last === undefined || last.containerID === '')
      throw new HttpError(400, `previous terminated ${where} not found`);
    return state.kind === 'waiting' ? record.logs : record.previousLogs;
  }
  if (state.kind !== 'waiting' || last !== undefined) return record.logs;
  if (state.reason === 'ErrImagePull') throw new HttpError(400, `${where} is waiting to start: image can't be pulled`);
  if (state.reason === 'ImagePullBackOff')
    throw new HttpError(400, `${where} is waiting to start: trying and failing to pull image`);
  throw new HttpError(400, `${where} is waiting to start: ${state.reason}`);
}

/** GET /containerLogs/{namespace}/{pod}/{container} */
export const containerLogs: KubeletRoute = async (context, { url, segments, response, signal }) => {
  const [namespace = '', pod = '', container = ''] = segments;
  const worker = context.pods.find(namespace, pod);
  if (worker === undefined) throw new HttpError(404, `pod ${JSON.stringify(pod)} does not exist`);
  const record = worker.records.find(r => r.name === container);
  if (record === undefined)
    throw new HttpError(404, `container ${JSON.stringify(container)} not found in pod ${JSON.stringify(pod)}`);
  const options = logOptions(url.searchParams, context.clock.now());
  const log = chooseLog(record, pod, options.previous);
  response.writeHead(200, { 'Content-Type': 'text/plain' });
  // A log that is followed may have nothing to say for long.
  response.flushHeaders();
  for await (const text of log?.read({ ...options, signal }) ?? []) {
    if (signal.aborted) break;
    if (!response.write(text)) await drained(response, signal);
  }
  response.end();
};
