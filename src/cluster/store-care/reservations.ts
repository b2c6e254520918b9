import { ADDRESSES, NODE_PORTS, serviceReservations } from '../../kinds/core/service-reservations.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import { relativeKey, resourcePrefix, ROOT } from '../../storage/keys.js';
import type { Finding } from '../../storage/leveldb/inspect.js';

export interface ReservationCheck {
  object(key: string, object: DeepReadonly<KubeObject>): void;
  /** Nothing more comes. */
  end(): void;
}

const SERVICES = resourcePrefix({ group: '', version: 'v1', resource: 'services' });
const PREFIXES: Readonly<Record<string, string>> = {
  [ADDRESSES]: resourcePrefix({ group: 'networking.k8s.io', version: 'v1', resource: 'ipaddresses' }),
  [NODE_PORTS]: `${ROOT}${NODE_PORTS}/`,
};

/** An API server does so when it starts, and every few minutes. */
const MENDED = '(an API server mends it when it starts)';

/** Whether what Services hold is reserved for them, and nothing for those who do not hold it. */
export function createReservationCheck(found: (finding: Finding) => void): ReservationCheck {
  /** By the key of a reservation: which Service holds what it stands for. */
  const held = new Map<string, string>();
  /** And which it is for; undefined: somebody else's. */
  const reserved = new Map<string, string | undefined>();
  const prefixes = Object.values(PREFIXES);
  return {
    object(key, object) {
      if (key.startsWith(SERVICES))
        for (const { resource, object: wanted } of serviceReservations.heldBy(object))
          held.set(`${PREFIXES[resource] ?? ''}${wanted.metadata.name ?? ''}`, key.slice(SERVICES.length));
      else if (prefixes.some(prefix => key.startsWith(prefix))) {
        const holder = serviceReservations.holderOf(object);
        reserved.set(key, holder && relativeKey(holder));
      }
    },
    end() {
      for (const [key, service] of held) {
        const holder = reserved.get(key);
        if (!reserved.has(key)) found({ about: key, problem: `is missing: Service ${service} has it ${MENDED}` });
        else if (holder !== undefined && holder !== service)
          found({ about: key, problem: `is reserved for Service ${holder}, and ${service} has it` });
      }
      for (const [key, holder] of reserved)
        if (holder !== undefined && !held.has(key))
          found({ about: key, problem: `is reserved for Service ${holder}, which has it not ${MENDED}` });
    },
  };
}
