import type { Plan } from './plan.js';

/** What a person sees of `up`. */
export interface Screen {
  line(text: string): void;
  /** A part is ready. */
  done(part: string, what: string): void;
  /** Something that happened to a process. */
  event(text: string): void;
  ready(ms: number, kubeconfig: string): void;
  stopped(plan: Pick<Plan, 'name' | 'dataDir' | 'flags'>): void;
}

interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const GREEN = '\u001b[32m';
const BOLD = '\u001b[1m';
const PLAIN = '\u001b[0m';

/** A path as a shell takes it. */
const quoted = (path: string): string => (/^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);

/** With colours where it is a terminal that shows them, as NO_COLOR and every other program have it. */
export function createScreen(
  out: Terminal,
  quiet: boolean,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Screen {
  const coloured = out.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  const paint = (colour: string, text: string): string => (coloured ? `${colour}${text}${PLAIN}` : text);
  const line = (text: string): void => {
    if (!quiet) out.write(`${text}\n`);
  };
  return {
    line,
    done: (part, what) => line(`${paint(GREEN, '✓')} ${part.padEnd(11)} ${what}`),
    event: text => void out.write(`${text}\n`),
    ready(ms, kubeconfig) {
      line(`ready in ${Math.round(ms)} ms; connect with`);
      line('');
      line(`  ${paint(BOLD, `export KUBECONFIG=${quoted(kubeconfig)}`)}`);
      line(`  ${paint(BOLD, 'kubectl create deployment web --image=nginx --replicas=2')}`);
      line(`  ${paint(BOLD, 'kubectl get pods -o wide')}`);
      line('');
    },
    stopped({ name, dataDir, flags }) {
      const which = name === undefined ? ` --data-dir ${quoted(dataDir)}` : ` --name ${name}`;
      const elsewhere = flags['storage'] === 'memory' || flags['etcdServers'] !== undefined;
      const kept = elsewhere ? 'keys' : 'state';
      line(`stopped; ${kept} kept in ${dataDir}, "kubette delete${which}" removes it`);
    },
  };
}
