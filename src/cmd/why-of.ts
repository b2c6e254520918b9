import { DEPLOYMENTS, NODES, PODS, SERVICES } from '../client/resources.js';
import type { RestClient } from '../client/rest-client.js';
import type { ResourceRef } from '../client/types.js';
import { nodeReason } from '../explain/address-reason.js';
import { listeningPorts, podFacts } from '../explain/facts.js';
import { podReason } from '../explain/pod-problem.js';
import { because, type Verdict, works } from '../explain/verdict.js';
import { deploymentReason } from '../explain/workload-reason.js';
import { joinHostPort } from '../machinery/ip.js';
import type { Deployment, KubeObject, Node, ObjectKey, Pod, Service } from '../machinery/types.js';
import { existing, MissingError } from '../explain/trace-ends.js';
import { ask } from './why-request.js';
import { whyService } from './why-service.js';
import type { WhyOptions, WhyTarget } from './why-target.js';
import { whyUrl } from './why-url.js';

/** Looks, asks and judges. @throws Error when the sender is not there, or the cluster */
export async function whyOf(client: RestClient, target: WhyTarget, options: WhyOptions): Promise<Verdict> {
  switch (target.kind) {
    case 'service': {
      const { name, port } = target;
      const key = { namespace: target.namespace ?? options.namespace, name };
      return orMissing(client, SERVICES, 'Service', key, (service: Service) =>
        whyService(client, service, { ...options, ...(port === undefined ? {} : { asked: { port } }) }),
      );
    }
    case 'pod':
      return orMissing(
        client,
        PODS,
        'Pod',
        { namespace: target.namespace ?? options.namespace, name: target.name },
        pod => whyPod(client, pod, options),
      );
    case 'deployment':
      return orMissing(
        client,
        DEPLOYMENTS,
        'Deployment',
        { namespace: target.namespace ?? options.namespace, name: target.name },
        (deployment: Deployment) => whyDeployment(client, deployment),
      );
    case 'node':
      return orMissing(client, NODES, 'Node', { namespace: '', name: target.name }, (node: Node) => {
        const reason = nodeReason(target.name, { nodes: [node] });
        return Promise.resolve(reason === undefined ? works(`node ${target.name} is Ready`) : because(reason));
      });
    case 'url':
      return whyUrl(client, target, options);
  }
}

/** That there is no such object is the answer, too. */
async function orMissing<T extends KubeObject>(
  client: RestClient,
  ref: ResourceRef,
  kind: string,
  key: ObjectKey,
  judge: (object: T) => Promise<Verdict>,
): Promise<Verdict> {
  let object: T;
  try {
    object = await existing<T>(client, ref, kind, key);
  } catch (error) {
    if (!(error instanceof MissingError)) throw error;
    const show = `kubectl get ${ref.resource}${ref.namespaced ? ' -A' : ''}`;
    const fix = error.near === undefined ? 'make it, or ask for another name' : `ask for ${error.near}`;
    return because({ code: 'NoSuchObject', message: error.message, details: [], objects: [], fix, show });
  }
  return judge(object);
}

async function whyPod(client: RestClient, pod: Pod, { namespace, from }: WhyOptions): Promise<Verdict> {
  const { namespace: its = namespace, name = '' } = pod.metadata;
  const facts = await podFacts(client, its);
  const reason = podReason(pod, facts);
  if (reason !== undefined) return because(reason);
  const { podIP = '' } = pod.status ?? {};
  const node = pod.spec?.nodeName ?? '';
  const port = (pod.spec?.containers ?? [])
    .flatMap(({ ports = [] }) => ports)
    .find(({ protocol = 'TCP' }) => protocol === 'TCP');
  const ready = `Pod ${its}/${name} is Ready on ${node} (${podIP})`;
  if (port !== undefined) {
    const verdict = await ask(client, {
      namespace,
      from: from ?? `node/${node}`,
      url: `tcp://${joinHostPort(podIP, port.containerPort)}`,
    });
    return verdict.works ? works(`${ready} and takes connections on ${port.containerPort}`, verdict.details) : verdict;
  }
  const listening = await listeningPorts(client, node, `${its}/${name}`);
  const on = listening?.tcp ?? [];
  return works(
    ready,
    listening === undefined ? [] : [on.length === 0 ? 'it listens on no TCP port' : `it listens on ${on.join(', ')}`],
  );
}

async function whyDeployment(client: RestClient, deployment: Deployment): Promise<Verdict> {
  const { namespace = '', name = '' } = deployment.metadata;
  const reason = deploymentReason(deployment, await podFacts(client, namespace));
  const wanted = deployment.spec?.replicas ?? 1;
  return reason === undefined
    ? works(`Deployment ${namespace}/${name} has ${wanted} of ${wanted} Pods Ready`)
    : because(reason);
}
