/** One time series of a family. */
export interface Sample {
  /** What a histogram's series add to its name. */
  readonly suffix?: '_bucket' | '_sum' | '_count';
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
  /** Clock milliseconds, where the value is as of then. */
  readonly at?: number;
}

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly Sample[];
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '"': '\\"' };
const escaped = (text: string): string => text.replace(/[\\\n"]/g, c => ESCAPES[c] ?? c);

const labelText = (labels: Readonly<Record<string, string>>): string => {
  const pairs = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
};

/** The Prometheus text format, families by name; one without samples is left out. */
export const prometheusText = (families: readonly MetricFamily[]): string =>
  [...families]
    .filter(({ samples }) => samples.length > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, help, type, samples }) => {
      const lines = samples.map(
        ({ suffix = '', labels = {}, value, at }) =>
          `${name}${suffix}${labelText(labels)} ${value}${at === undefined ? '' : ` ${at}`}`,
      );
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`;
    })
    .join('');

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';
