import { createHash } from 'node:crypto';
import { Agent, type ClientRequestArgs } from 'node:http';
import type { Duplex } from 'node:stream';
import type { DialTarget, TlsSettings } from './types.js';

/** Upstream keeps the clients of so many webhooks, and so many idle connections of each, for so long. */
const MAX_AGENTS = 200;
const MAX_FREE = 25;
const IDLE_MS = 90_000;

type Connect = (signal: AbortSignal) => Promise<Duplex>;

/** What a request tells the agent beside what Node's agents know. */
export interface AgentRequest extends ClientRequestArgs {
  readonly dialSignal: AbortSignal;
}

/** Connections of one target, all with the same trust. */
class TargetAgent extends Agent {
  constructor(private readonly dial: Connect) {
    super({ keepAlive: true, maxFreeSockets: MAX_FREE, timeout: IDLE_MS, scheduling: 'lifo' });
  }
  override createConnection(
    options: ClientRequestArgs,
    done?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.dial((options as AgentRequest).dialSignal).then(
      stream => done?.(null, stream),
      (error: unknown) => done?.(error as Error, undefined as unknown as Duplex),
    );
    return undefined;
  }
  /** What is under way goes on, and is not kept afterwards. */
  retire(): void {
    this.maxFreeSockets = 0;
    for (const sockets of Object.values(this.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }
}

/** Kept connections, by target and by all that TLS was told: nobody gets one that was made for another trust. */
export interface Pool {
  agent(target: DialTarget, tls: TlsSettings | undefined, connect: Connect): Agent;
  close(): void;
}

const keyOf = (target: DialTarget, tls: TlsSettings | undefined): string => {
  const { ca, insecure, serverName, identity } = tls ?? {};
  const all = [Object.entries(target).sort(), tls === undefined, ca, insecure === true, serverName, identity];
  return createHash('sha256').update(JSON.stringify(all)).digest('base64');
};

export function createPool(): Pool {
  /** The one that was asked for last is the last. */
  const agents = new Map<string, TargetAgent>();
  return {
    agent(target, tls, connect) {
      const key = keyOf(target, tls);
      const agent = agents.get(key) ?? new TargetAgent(connect);
      agents.delete(key);
      agents.set(key, agent);
      if (agents.size > MAX_AGENTS) {
        const [oldest] = agents;
        if (oldest !== undefined) {
          agents.delete(oldest[0]);
          oldest[1].retire();
        }
      }
      return agent;
    },
    close() {
      for (const agent of agents.values()) agent.destroy();
      agents.clear();
    },
  };
}
