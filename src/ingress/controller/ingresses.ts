import type { EventRecorder } from '../../client/event-recorder.js';
import { INGRESS_CLASSES, INGRESSES } from '../../client/resources.js';
import { keyOf, splitKey, type Client, type InformerFactory } from '../../client/types.js';
import { jsonEqual } from '../../machinery/json-equal.js';
import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, Ingress, IngressClass } from '../../machinery/types.js';
import { PORTS } from '../names.js';
import { isOurs } from '../ownership.js';
import { ingressRules, type IngressRules, type Problem } from '../routing/ingress-rules.js';
import type { Rule } from '../routing/route-table.js';
import type { Route } from '../routing/route.js';
import type { Backends } from './backends.js';
import type { Secrets } from './secrets.js';
import type { ShownCertificate, Source } from './source.js';

type ReadonlyIngress = DeepReadonly<Ingress>;

/** What a source of rules works with. */
export interface SourceOptions {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly backends: Backends;
  readonly secrets: Secrets;
  readonly recorder: EventRecorder;
  /** Where clients find this controller: what its Service says. */
  readonly addresses: () => readonly string[];
  readonly onChange: () => void;
}

/** Ingresses of the classes that are this controller's. */
export function watchIngresses(options: SourceOptions): Source {
  const { client, informers, backends, secrets, recorder, addresses, onChange } = options;
  const ingresses = informers.informer<Ingress>(INGRESSES);
  const classes = informers.informer<IngressClass>(INGRESS_CLASSES);
  const writer = client.resource<Ingress>(INGRESSES);
  ingresses.addHandler({
    add: onChange,
    delete: onChange,
    update(old, now) {
      // Its own writes of statuses change nothing else.
      if (!jsonEqual([old.spec, old.metadata.annotations], [now.spec, now.metadata.annotations])) onChange();
    },
  });
  classes.addHandler({ add: onChange, update: onChange, delete: onChange });
  const read = new WeakMap<ReadonlyIngress, IngressRules>();
  /** What is wrong with each of ours, as was compiled last. */
  let problems = new Map<string, readonly Problem[]>();
  /** What its owner has been told, by "namespace/name": once is enough. */
  const told = new Map<string, Set<string>>();

  const rulesOf = (ingress: ReadonlyIngress): IngressRules => {
    const rules = read.get(ingress) ?? ingressRules(ingress);
    read.set(ingress, rules);
    return rules;
  };
  const wantedStatus = (): { ip: string }[] => addresses().map(ip => ({ ip }));
  const isShown = ({ status }: ReadonlyIngress): boolean =>
    jsonEqual(
      (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => [ip, hostname]),
      addresses().map(ip => [ip, undefined]),
    );
  const textOf = ({ reason, message }: Problem): string => `${reason}: ${message}`;

  return {
    compile() {
      const rules: Rule<Route>[] = [];
      const certificates: ShownCertificate[] = [];
      problems = new Map();
      for (const ingress of ingresses.indexer.list()) {
        if (!isOurs(ingress, classes.indexer)) continue;
        const said = rulesOf(ingress);
        const wrong = [...said.problems, ...said.backends.flatMap(port => backends.problemOf(port) ?? [])];
        rules.push(...said.rules);
        for (const { host, secret, origin } of said.certificates) {
          const certificate = secrets.certificateOf(secret);
          if ('context' in certificate) certificates.push({ host, origin, context: certificate.context });
          else wrong.push(certificate);
        }
        problems.set(keyOf(ingress), wrong);
      }
      for (const key of told.keys()) if (!problems.has(key)) told.delete(key);
      return {
        rules: new Map([
          [PORTS.http, rules],
          [PORTS.https, rules],
        ]),
        certificates,
      };
    },
    *untold() {
      for (const [key, wrong] of problems) {
        const ingress = ingresses.indexer.get(key);
        if (ingress === undefined) continue;
        const heard = told.get(key);
        if (heard === undefined || !isShown(ingress) || wrong.some(problem => !heard.has(textOf(problem)))) yield key;
      }
    },
    async tell(key) {
      const ingress = ingresses.indexer.get(key);
      const wrong = problems.get(key);
      if (ingress === undefined || wrong === undefined) return;
      const heard = told.get(key);
      if (heard === undefined) recorder.event(ingress, 'Normal', 'Sync', 'Scheduled for sync');
      for (const { reason, message } of wrong)
        if (heard?.has(textOf({ reason, message })) !== true) recorder.event(ingress, 'Warning', reason, message);
      told.set(key, new Set(wrong.map(textOf)));
      if (isShown(ingress)) return;
      try {
        const status = { loadBalancer: { ingress: wantedStatus() } };
        await writer.patch(
          splitKey(key),
          { metadata: { uid: ingress.metadata.uid }, status },
          { type: 'merge', subresource: 'status' },
        );
      } catch (error) {
        // It went meanwhile.
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    },
  };
}
