import type { RequestUrl } from './request-url.js';
import { StreamingError, type ContainerTarget } from './types.js';

/** A request to /exec, /attach or /portForward, as the kubelet's API spells them. */
export type StreamingRequest =
  | {
      readonly kind: 'exec';
      readonly target: ContainerTarget;
      readonly command: readonly string[];
      readonly wants: WantedStreams;
    }
  | { readonly kind: 'attach'; readonly target: ContainerTarget; readonly wants: WantedStreams }
  | {
      readonly kind: 'portForward';
      readonly target: { readonly namespace: string; readonly pod: string };
      readonly ports: readonly number[];
    };

export interface WantedStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** The kubelet's parameters (input, output, error) and the API server's (stdin, stdout, stderr) mean the same. */
function wantedStreams(query: URLSearchParams): WantedStreams {
  const isSet = (...names: string[]): boolean =>
    names.some(name => {
      const value = query.get(name);
      return value !== null && value !== '0' && value.toLowerCase() !== 'false';
    });
  const tty = isSet('tty');
  const wants = {
    stdin: isSet('input', 'stdin'),
    stdout: isSet('output', 'stdout'),
    stderr: isSet('error', 'stderr') && !tty,
    tty,
  };
  if (!wants.stdin && !wants.stdout && !wants.stderr)
    throw new StreamingError(400, 'you must specify at least 1 of stdin, stdout, stderr');
  return wants;
}

/** undefined: not a streaming path. @throws StreamingError for one that asks for something impossible */
export function parseStreamingRequest({ url, segments }: RequestUrl): StreamingRequest | undefined {
  const [kind, namespace = '', pod = '', container = ''] = segments;
  if (kind === 'exec') {
    const command = url.searchParams.getAll('command');
    if (command.length === 0) throw new StreamingError(400, 'you must specify a command');
    return { kind, target: { namespace, pod, container }, command, wants: wantedStreams(url.searchParams) };
  }
  if (kind === 'attach') return { kind, target: { namespace, pod, container }, wants: wantedStreams(url.searchParams) };
  if (kind !== 'portForward') return undefined;
  const ports = [...url.searchParams.getAll('ports'), ...url.searchParams.getAll('port')]
    .flatMap(text => text.split(','))
    .map(Number);
  if (ports.some(port => !Number.isInteger(port) || port < 1 || port > 65_535))
    throw new StreamingError(
      400,
      `unable to parse ports ${JSON.stringify(url.searchParams.getAll('ports').join(','))}`,
    );
  return { kind, target: { namespace, pod }, ports };
}
