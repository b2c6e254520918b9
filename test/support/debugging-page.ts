import { type Answer, AUTHORITATIVE_ANSWER, decode, encode, RECURSION_DESIRED } from 'dns-packet';
import type { NetNamespace } from '../../src/containers/network/types.js';
import { execute } from './simulated-container.js';
import { service, slice, twoNodes } from './two-nodes.js';

/** A command of the page, where it is typed, and what the page says that it prints. */
export interface PageCommand {
  readonly prompt: string;
  readonly command: string;
  readonly output: string;
}

const BLOCK = /^```console\n([^]*?)^```$/gm;
const PROMPT = /^(client\$|node-1#) (.*)$/;

/** The commands of all ```console blocks, in order. */
export function commandsOf(page: string): PageCommand[] {
  const commands: { prompt: string; command: string; output: string }[] = [];
  for (const [, block = ''] of page.matchAll(BLOCK))
    for (const line of block.split('\n').slice(0, -1)) {
      const [, prompt, command] = PROMPT.exec(line) ?? [];
      if (prompt !== undefined && command !== undefined) commands.push({ prompt, command, output: '' });
      else {
        const last = commands.at(-1);
        if (last === undefined) throw new Error(`no command before ${line}`);
        last.output += `${line}\n`;
      }
    }
  return commands;
}

/** What differs from run to run: times, and what chance gives. Blanks at the ends of lines are not written down. */
export const steady = (text: string): string =>
  text
    .replace(/= [\d./]+ ms/g, '= N ms')
    .replace(/\d+\.\d+ ms/g, 'N ms')
    .replace(/time=[\d.]+/g, 'time=N')
    .replace(/time \d+ms/g, 'time Nms')
    .replace(/^\d\d:\d\d:\d\d\.\d{6} /gm, 'HH:MM:SS.uuuuuu ')
    .replace(/TS val \d+ ecr \d+/g, 'TS val N ecr N')
    .replace(/(10\.244\.1\.2[.:])\d{5}\b/g, '$1N')
    .replace(/sport=\d{5}\b/g, 'sport=N')
    .replace(/dport=\d{5}\b/g, 'dport=N')
    .replace(/(seq|ack) \d{4,}/g, '$1 N')
    .replace(/id: \d+/g, 'id: N')
    .replace(/: \d+([+*|-]+ )/g, ': N$1')
    .replace(/ STALE\b/g, ' REACHABLE')
    .replace(/^ {1,4}\d+ {1,5}\d+ (?=[A-Z])/gm, 'N N ')
    .replace(/Query time: \d+/g, 'Query time: N')
    .replace(/WHEN: .*/g, 'WHEN: T')
    .replace(/tcp {6}6 \d+/g, 'tcp      6 N')
    .replace(/\d+ flow entries/g, 'N flow entries')
    .replace(/[ \t]+$/gm, '');

function answer(payload: Buffer): Buffer {
  const { id = 0, questions = [] } = decode(payload);
  const { name = '', type = 'A' } = questions[0] ?? {};
  const known = name === 'web.default.svc.cluster.local';
  const answers: Answer[] = known && type === 'A' ? [{ type: 'A', name, ttl: 5, data: '10.96.0.20' }] : [];
  const flags = AUTHORITATIVE_ANSWER | RECURSION_DESIRED | (known ? 0 : 3);
  return encode({ type: 'response', id, flags, questions, answers });
}

/** The cluster that the page is written in: runs its commands, one after the other. */
export async function debuggingCluster() {
  const { one, two, close } = await twoNodes({
    services: [
      service('web', { clusterIP: '10.96.0.20', ports: [{ port: 80, protocol: 'TCP' }] }),
      service('kube-dns', { clusterIP: '10.96.0.10', ports: [{ port: 53, protocol: 'UDP' }] }),
    ],
    slices: [
      slice('web', 'TCP', 8080, ['10.244.2.2', 'node-2']),
      slice('kube-dns', 'UDP', 53, ['10.244.2.3', 'node-2']),
    ],
  });
  const client = one.network.attach(['10.244.1.2'], 'pod default/client');
  const web = two.network.attach(['10.244.2.2'], 'pod default/web');
  two.network.attach(['10.244.2.3'], 'pod kube-system/dns').listenUdp(53, answer);
  const body = 'hello\n';
  web.listen(8080, stream => {
    stream.once('data', () =>
      stream.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`),
    );
  });
  const at: Readonly<Record<string, { network: NetNamespace; privileged?: boolean }>> = {
    client$: { network: client },
    'node-1#': { network: one.network.node, privileged: true },
  };
  return {
    close,
    async run({ prompt, command }: Pick<PageCommand, 'prompt' | 'command'>): Promise<string> {
      const place = at[prompt];
      if (place === undefined) throw new Error(`nobody types at ${prompt}`);
      const fixture = { ...place, image: 'netshoot', nameservers: ['10.96.0.10'] };
      const { stdout } = await execute(['sh', '-c', `{ ${command}\n} 2>&1`], fixture);
      return stdout;
    },
  };
}
