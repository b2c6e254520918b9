import type { Clock } from '../../../machinery/clock.js';
import { createExpiryQueues } from './expiry-queues.js';
import type { LoadedServer } from './real-servers.js';
import { virtualKey, type VirtualService } from './types.js';

/** The server that a client of a persistent service stays with. */
export interface Template {
  readonly key: string;
  readonly server: LoadedServer;
  /** Connections that were made by it. While there are any it is kept. */
  connections: number;
  expiresAt: number;
}

/** Persistence. Every new connection of the client begins the time anew. */
export interface Templates {
  find(client: string, service: VirtualService): Template | undefined;
  create(client: string, service: VirtualService, server: LoadedServer): Template;
  renew(template: Template, seconds: number): void;
  /** Forgets those whose time is over; they are not found before that, either. */
  expire(): void;
}

/** When there are so many, the oldest goes for a new one. */
const MAX_TEMPLATES = 65_536;

/** A template that is still used when its time is over gets so much more. */
const EXTENSION_MS = 60_000;

export function createTemplates(clock: Clock): Templates {
  const templates = new Map<string, Template>();
  const queues = createExpiryQueues<Template>(() => clock.now());
  const keyOf = (client: string, service: VirtualService): string => `${client} ${virtualKey(service)}`;

  function forget(template: Template): void {
    queues.remove(template);
    if (templates.get(template.key) === template) templates.delete(template.key);
  }

  return {
    find(client, service) {
      const found = templates.get(keyOf(client, service));
      if (found === undefined || (found.expiresAt <= clock.now() && found.connections === 0)) return undefined;
      // A server that is gone, or takes nothing new, does not keep its clients (expire_quiescent_template).
      return found.server.available && found.server.weight > 0 ? found : undefined;
    },
    create(client, service, server) {
      const key = keyOf(client, service);
      const old = templates.get(key);
      if (old !== undefined) forget(old);
      const oldest = templates.values().next();
      if (templates.size >= MAX_TEMPLATES && oldest.done !== true) forget(oldest.value);
      const template: Template = { key, server, connections: 0, expiresAt: 0 };
      templates.set(key, template);
      return template;
    },
    renew: (template, seconds) => queues.renew(template, 1000 * seconds),
    expire() {
      for (const template of queues.takeExpired())
        if (template.connections > 0) queues.renew(template, EXTENSION_MS);
        else forget(template);
    },
  };
}
