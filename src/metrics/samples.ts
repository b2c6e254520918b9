/** What a kubelet's /metrics/resource says, read from Prometheus' text as a stranger's. */

/** A counter of processor time and a gauge of memory, at one moment. */
export interface Point {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** When what is counted began; undefined: not told. */
  readonly startedMs: number | undefined;
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

export interface NodeSample {
  readonly node: Point | undefined;
  /** By "namespace/pod", then by container. */
  readonly pods: ReadonlyMap<string, ReadonlyMap<string, Point>>;
}

const MAX_LINE = 4_096;
/** Below a name of the longest kind with three labels; one that is longer is none of ours. */
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/;

interface Line {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
  readonly atMs: number | undefined;
}

function labelsOf(text: string): Map<string, string> | undefined {
  const labels = new Map<string, string>();
  let rest = text;
  while (rest !== '') {
    const found = LABEL.exec(rest);
    if (found === null) return undefined;
    const [whole, name = '', value = ''] = found;
    labels.set(
      name,
      value.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char)),
    );
    rest = rest.slice(whole.length);
    if (rest.startsWith(',')) rest = rest.slice(1);
    else if (rest !== '') return undefined;
  }
  return labels;
}

function readLine(text: string): Line | undefined {
  if (text === '' || text.startsWith('#') || text.length > MAX_LINE) return undefined;
  const brace = text.indexOf('{');
  const end = brace < 0 ? text.indexOf(' ') : text.lastIndexOf('}');
  if (end < 0 || end < brace) return undefined;
  const labels = brace < 0 ? new Map<string, string>() : labelsOf(text.slice(brace + 1, end));
  if (labels === undefined) return undefined;
  const [value = '', at] = text
    .slice(brace < 0 ? end : end + 1)
    .trim()
    .split(' ');
  const number = Number(value);
  const atMs = at === undefined ? undefined : Number(at);
  if (value === '' || !Number.isFinite(number) || number < 0 || (atMs !== undefined && !Number.isFinite(atMs)))
    return undefined;
  return { name: brace < 0 ? text.slice(0, end) : text.slice(0, brace), labels, value: number, atMs };
}

type Draft = { -readonly [K in keyof Point]?: Point[K] };

const pointOf = ({ atMs, startedMs, cpuSeconds, memoryBytes }: Draft): Point | undefined =>
  atMs === undefined || cpuSeconds === undefined || memoryBytes === undefined
    ? undefined
    : { atMs, startedMs, cpuSeconds, memoryBytes };

/** @param nowMs when it was read, for samples without a time */
export function readSamples(text: string, nowMs: number): NodeSample {
  const node: Draft = {};
  const containers = new Map<string, Map<string, Draft>>();
  const draftOf = (labels: ReadonlyMap<string, string>): Draft => {
    const pod = `${labels.get('namespace') ?? ''}/${labels.get('pod') ?? ''}`;
    const name = labels.get('container') ?? '';
    const ofPod = containers.get(pod) ?? new Map<string, Draft>();
    containers.set(pod, ofPod);
    const draft = ofPod.get(name) ?? {};
    ofPod.set(name, draft);
    return draft;
  };
  for (const raw of text.split('\n')) {
    const line = readLine(raw);
    if (line === undefined) continue;
    const { name, labels, value, atMs = nowMs } = line;
    if (name === 'node_cpu_usage_seconds_total') Object.assign(node, { cpuSeconds: value, atMs });
    else if (name === 'node_memory_working_set_bytes') node.memoryBytes = value;
    else if (name === 'container_cpu_usage_seconds_total') Object.assign(draftOf(labels), { cpuSeconds: value, atMs });
    else if (name === 'container_memory_working_set_bytes') draftOf(labels).memoryBytes = value;
    else if (name === 'container_start_time_seconds') draftOf(labels).startedMs = value * 1000;
  }
  const pods = new Map<string, ReadonlyMap<string, Point>>();
  for (const [pod, drafts] of containers) {
    const points = new Map<string, Point>();
    for (const [name, draft] of drafts) {
      const point = pointOf(draft);
      // A Pod of which not everything is known is not told of at all.
      if (point === undefined) break;
      points.set(name, point);
    }
    if (points.size === drafts.size) pods.set(pod, points);
  }
  return { node: pointOf(node), pods };
}
