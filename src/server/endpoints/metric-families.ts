/**
 * Counters, gauges and histograms in Prometheus' text form. Not prom-client: loading it costs as much as the rest of a
 * metrics endpoint, and every request pays for its label hashing.
 */
export type Labels = Readonly<Record<string, string | number>>;

const escapeLabel = (text: string): string => (/[\\"\n]/.test(text) ? escaped(text) : text);
const escaped = (text: string): string => text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');

/** {a="b",c="d"}, or '' without labels. */
function labelText(labels: Labels): string {
  let text = '';
  for (const name of Object.keys(labels))
    text += `${text === '' ? '{' : ','}${name}="${escapeLabel(String(labels[name]))}"`;
  return text === '' ? '' : `${text}}`;
}

/** Where the values of one more label lead. */
type Branch<T> = Map<string, Branch<T> | T>;

/**
 * The series of a family, each found by the values of its labels, one after another. All labels of a family have the same names
 * in the same order. A text as key would be made several times for each request.
 */
class SeriesByLabels<T extends object> {
  /** In the order in which they came. */
  readonly all: T[] = [];
  private readonly root: Branch<T> = new Map();

  constructor(private readonly make: (labels: Labels) => T) {}

  of(labels: Labels): T {
    let branch = this.root;
    let last = '';
    let isFirst = true;
    for (const name in labels) {
      if (!isFirst) {
        let next = branch.get(last) as Branch<T> | undefined;
        if (next === undefined) branch.set(last, (next = new Map()));
        branch = next;
      }
      isFirst = false;
      last = String(labels[name]);
    }
    const known = branch.get(last) as T | undefined;
    if (known !== undefined) return known;
    const made = this.make(labels);
    branch.set(last, made);
    this.all.push(made);
    return made;
  }
}

export interface Family {
  readonly name: string;
  render(): string;
}

const header = (name: string, help: string, type: string): string => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;

export interface Counter extends Family {
  add(labels: Labels, by?: number): void;
}

/** `type` is gauge when values also fall. */
export function counter(name: string, help: string, type: 'counter' | 'gauge' = 'counter'): Counter {
  const series = new SeriesByLabels(labels => ({ text: labelText(labels), value: 0 }));
  return {
    name,
    add(labels, by = 1) {
      series.of(labels).value += by;
    },
    render: () => header(name, help, type) + series.all.map(({ text, value }) => `${name}${text} ${value}\n`).join(''),
  };
}

type Read = () => Iterable<readonly [Labels, number]>;

const readFamily = (name: string, help: string, type: string, read: Read): Family => ({
  name,
  render: () =>
    header(name, help, type) + [...read()].map(([labels, value]) => `${name}${labelText(labels)} ${value}\n`).join(''),
});

/** A gauge whose series are read when they are asked for. */
export const readGauge = (name: string, help: string, read: Read): Family => readFamily(name, help, 'gauge', read);

/** The same of what only rises. */
export const readCounter = (name: string, help: string, read: Read): Family => readFamily(name, help, 'counter', read);

export interface Histogram extends Family {
  observe(labels: Labels, value: number): void;
  /** The same for one set of labels, which are looked up once. It is not shown before it has a value. */
  series(labels: Labels): (value: number) => void;
}

interface Series {
  readonly labels: Labels;
  readonly buckets: number[];
  sum: number;
  count: number;
}

export function histogram(name: string, help: string, bounds: readonly number[]): Histogram {
  const all = new SeriesByLabels<Series>(labels => ({ labels, buckets: bounds.map(() => 0), sum: 0, count: 0 }));
  const record = (one: Series, value: number): void => {
    one.sum += value;
    one.count++;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] ?? Infinity)) at++;
    if (at < bounds.length) one.buckets[at] = (one.buckets[at] ?? 0) + 1;
  };
  return {
    name,
    observe: (labels, value) => record(all.of(labels), value),
    series(labels) {
      const one = all.of(labels);
      return value => record(one, value);
    },
    render() {
      let text = header(name, help, 'histogram');
      for (const { labels, buckets, sum, count } of all.all) {
        if (count === 0) continue;
        const key = labelText(labels);
        let below = 0;
        bounds.forEach((bound, i) => {
          below += buckets[i] ?? 0;
          text += `${name}_bucket${labelText({ ...labels, le: bound })} ${below}\n`;
        });
        text += `${name}_bucket${labelText({ ...labels, le: '+Inf' })} ${count}\n${name}_sum${key} ${sum}\n${name}_count${key} ${count}\n`;
      }
      return text;
    },
  };
}
