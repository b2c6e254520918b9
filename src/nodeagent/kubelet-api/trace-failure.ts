import { DROPPED, NetworkError } from '../../containers/network/errors.js';
import type { NetworkStep } from '../../containers/network/types.js';

interface Asked {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly port: number;
}

/**
 * A refusal has two causes: a rule, which the error names, or nobody who listens where the packet went. What was dropped was
 * dropped by the last step of its way.
 */
export function explainFailure(error: Error, steps: readonly NetworkStep[], asked: Asked): string {
  if (!(error instanceof NetworkError)) return error.message;
  if (error.code === 'ETIMEDOUT' && error.detail === DROPPED) return explainDrop(error, steps);
  if (error.code !== 'ECONNREFUSED' || error.detail !== '') return error.message;
  let owner: string | undefined;
  let { port } = asked;
  for (const step of steps) {
    if (step.kind === 'netfilter' && step.direction === 'request') port = step.out.dstPort;
    else if (step.kind === 'route') owner = step.via;
    else if (step.kind === 'deliver') owner = step.to;
  }
  return owner === undefined
    ? error.message
    : `${error.message}: nothing listens on ${asked.protocol} port ${port} of ${owner}`;
}

function explainDrop(error: NetworkError, steps: readonly NetworkStep[]): string {
  const where = steps.findLast(step => step.kind === 'netfilter' && step.verdict === 'drop');
  const last = where?.kind === 'netfilter' ? where.rules.at(-1) : undefined;
  if (where === undefined || last?.kind !== 'networkPolicy') return error.message;
  return `${error.text} (${DROPPED} on ${where.node}: ${last.effect.replace(/^drop: /, '')})`;
}
