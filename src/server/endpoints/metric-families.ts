/**
 * Counters, gauges and histograms in Prometheus' text form. Not prom-client: loading it costs as much as the rest of a
 * metrics endpoint, and every request pays for its label hashing.
 */
export type Labels = Readonly<Record<string, string | number>>;

const escapeLabel = (text: string): string => text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');

/** {a="b",c="d"}, or '' without labels. Also the key of a series. */
function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(String(value))}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
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
  const series = new Map<string, number>();
  return {
    name,
    add(labels, by = 1) {
      const key = labelText(labels);
      series.set(key, (series.get(key) ?? 0) + by);
    },
    render: () => header(name, help, type) + [...series].map(([key, value]) => `${name}${key} ${value}\n`).join(''),
  };
}

/** A gauge whose series are read when they are asked for. */
export function readGauge(name: string, help: string, read: () => Iterable<readonly [Labels, number]>): Family {
  return {
    name,
    render: () =>
      header(name, help, 'gauge') +
      [...read()].map(([labels, value]) => `${name}${labelText(labels)} ${value}\n`).join(''),
  };
}

export interface Histogram extends Family {
  observe(labels: Labels, value: number): void;
}

export function histogram(name: string, help: string, bounds: readonly number[]): Histogram {
  const series = new Map<string, { labels: Labels; buckets: number[]; sum: number; count: number }>();
  return {
    name,
    observe(labels, value) {
      const key = labelText(labels);
      let one = series.get(key);
      if (one === undefined) series.set(key, (one = { labels, buckets: bounds.map(() => 0), sum: 0, count: 0 }));
      one.sum += value;
      one.count++;
      const at = bounds.findIndex(bound => value <= bound);
      if (at >= 0) one.buckets[at] = (one.buckets[at] ?? 0) + 1;
    },
    render() {
      let text = header(name, help, 'histogram');
      for (const [key, { labels, buckets, sum, count }] of series) {
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
