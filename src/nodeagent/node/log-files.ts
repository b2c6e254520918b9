import type { LogBuffer } from '../../containers/log-buffer.js';
import type { PodWorker } from '../pods/pod-worker.js';
import type { ContainerRecord } from '../pods/types.js';

/** A directory of names, or a file's text. */
export type LogNode = { readonly names: readonly string[] } | { readonly text: () => Promise<string> };

const directoryOf = ({ pod }: PodWorker): string =>
  `${pod.metadata.namespace ?? ''}_${pod.metadata.name ?? ''}_${pod.metadata.uid ?? ''}`;

/** Where the container's runs are logged: "0.log", "1.log", the latest two as far as they are kept. */
const runsOf = ({ logs, previousLogs, restartCount }: ContainerRecord): [string, LogBuffer][] => [
  ...(previousLogs === undefined || restartCount === 0
    ? []
    : [[`${restartCount - 1}.log`, previousLogs] as [string, LogBuffer]]),
  ...(logs === undefined ? [] : [[`${restartCount}.log`, logs] as [string, LogBuffer]]),
];

const linkName = (worker: PodWorker, record: ContainerRecord): string =>
  `${worker.pod.metadata.name ?? ''}_${worker.pod.metadata.namespace ?? ''}_${record.name}-${record.running?.id ?? ''}.log`;

/** The lines of a log as container runtimes write them to disk: "TIME STREAM TAG TEXT". */
async function criText(log: LogBuffer): Promise<string> {
  const lines: { text: string; order: number }[] = [];
  for (const stream of ['stdout', 'stderr'] as const)
    for await (const chunk of log.read({ stream, timestamps: true })) {
      const space = chunk.indexOf(' ');
      const complete = chunk.endsWith('\n');
      const text = complete ? chunk.slice(space + 1, -1) : chunk.slice(space + 1);
      lines.push({ text: `${chunk.slice(0, space)} ${stream} ${complete ? 'F' : 'P'} ${text}\n`, order: lines.length });
    }
  // Times are of one length: their order is that of the text.
  const time = (text: string): string => text.slice(0, text.indexOf(' '));
  lines.sort((a, b) => (time(a.text) < time(b.text) ? -1 : time(a.text) > time(b.text) ? 1 : a.order - b.order));
  return lines.map(line => line.text).join('');
}

/** What is at a path below /var/log: containers/ and pods/, as a kubelet with its runtime keeps them. */
export function logNode(workers: readonly PodWorker[], path: readonly string[]): LogNode | undefined {
  const [top, first, second, third, ...rest] = path;
  if (rest.length > 0) return undefined;
  if (top === undefined) return { names: ['containers/', 'pods/'] };
  if (top === 'containers') {
    const links = workers.flatMap(w =>
      w.records.flatMap(r => (r.running === undefined ? [] : [[linkName(w, r), r] as const])),
    );
    if (first === undefined) return { names: links.map(([name]) => name).sort() };
    const log = second === undefined ? links.find(([name]) => name === first)?.[1].logs : undefined;
    return log === undefined ? undefined : { text: () => criText(log) };
  }
  if (top !== 'pods') return undefined;
  if (first === undefined) return { names: workers.map(w => `${directoryOf(w)}/`).sort() };
  const worker = workers.find(w => directoryOf(w) === first);
  if (worker === undefined) return undefined;
  const logged = worker.records.filter(r => runsOf(r).length > 0);
  if (second === undefined) return { names: logged.map(r => `${r.name}/`).sort() };
  const record = logged.find(r => r.name === second);
  if (record === undefined) return undefined;
  if (third === undefined) return { names: runsOf(record).map(([name]) => name) };
  const log = runsOf(record).find(([name]) => name === third)?.[1];
  return log === undefined ? undefined : { text: () => criText(log) };
}
