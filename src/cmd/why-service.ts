import type { RestClient } from '../client/rest-client.js';
import { serviceFacts } from '../explain/facts.js';
import { askedPorts, localPolicyReason, serviceNotes, serviceReason } from '../explain/service-reason.js';
import type { ReadonlyServicePort } from '../explain/service-problem.js';
import type { Reason } from '../explain/types.js';
import { because, ofPort, together, type Verdict } from '../explain/verdict.js';
import type { Service } from '../machinery/types.js';
import { NoAddressError } from '../explain/trace-ends.js';
import { askPort, type Way } from './why-request.js';
import type { ServiceQuestion } from './why-target.js';

/** As many ports are asked of one Service. */
const MAX_PORTS = 5;

export async function whyService(client: RestClient, service: Service, question: ServiceQuestion): Promise<Verdict> {
  const { asked, from } = question;
  const facts = await serviceFacts(client, service);
  const reason = serviceReason(service, asked, facts);
  if (reason !== undefined) return because(reason);
  const ports: readonly (ReadonlyServicePort | undefined)[] = askedPorts(service, asked);
  const local = from === undefined ? localPolicyReason(service, ports[0], facts) : undefined;
  // Whom no node may leave out, and whom load balancers and clients choose nodes for.
  if (local !== undefined && service.spec?.internalTrafficPolicy === 'Local') return because(local);
  const notes =
    from === undefined ? [...(local === undefined ? [] : [noteOf(local)]), ...serviceNotes(service, facts)] : [];
  const way: Way = { service, facts, question };
  const verdicts: Verdict[] = [];
  try {
    for (const port of ports.length === 0 ? [undefined] : ports.slice(0, MAX_PORTS)) {
      const verdict = await askPort(client, way, port);
      verdicts.push(port === undefined || ports.length === 1 ? verdict : ofPort(portText(port), verdict));
    }
  } catch (error) {
    if (!(error instanceof NoAddressError)) throw error;
    return because({
      code: 'NoAddressOutside',
      message: error.message,
      details: [],
      objects: [],
      fix: 'set its type to NodePort or LoadBalancer, or ask from a Pod (--from POD)',
    });
  }
  return together(verdicts, notes);
}

const portText = ({ port, protocol = 'TCP' }: ReadonlyServicePort): string =>
  protocol === 'TCP' ? String(port) : `${port}/${protocol}`;

/** Of what is no cause for the one who asked, without the Service that was named. */
const noteOf = ({ message }: Reason): string => message.replace(/^Service \S+: /, '');
