import { semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { FlowSchema, PriorityLevel } from '../flow-control/types.js';
import { MANDATORY } from '../../kinds/flowcontrol/flow-control-defaults.js';
import { ensure, keyOf, selfContext, type BootstrapOptions } from './ensure.js';
import { FLOW_CONTROL, type SystemObject } from './system-objects.js';

const AUTO_UPDATE = 'apf.kubernetes.io/autoupdate-spec';
const MANAGER = 'api-priority-and-fairness-config-producer-v1';
/** How often they are looked for, as upstream. */
const CHECK_MS = 60_000;

const isMandatory = ({ object }: SystemObject): boolean => MANDATORY.includes(object.metadata.name ?? '');

const mandatory = (kind: string): readonly unknown[] =>
  FLOW_CONTROL.filter(one => one.object.kind === kind && isMandatory(one)).map(({ object }) => object);

/** What counts even while it is not stored. */
export const MANDATORY_FLOW_CONTROL = {
  levels: mandatory('PriorityLevelConfiguration') as readonly PriorityLevel[],
  schemas: mandatory('FlowSchema') as readonly FlowSchema[],
};

/** Whether the spec is ours to keep: its annotation says so, or nobody has changed it so far. */
function isOurs({ metadata }: DeepReadonly<KubeObject>): boolean {
  const said = metadata.annotations?.[AUTO_UPDATE];
  if (said === 'true' || said === 'false') return said === 'true';
  return metadata.generation === 1;
}

/** What is set aside for exempt requests may be changed. */
function saysTheSame(stored: DeepReadonly<KubeObject>, { object }: SystemObject): boolean {
  const [is, wanted] = [stored['spec'], object['spec']] as Record<string, unknown>[];
  const exempt = is?.['exempt'];
  return semanticEqual(is, exempt === undefined ? wanted : { ...wanted, exempt });
}

/** k8s.io/kubernetes pkg/registry/flowcontrol/ensurer/strategy.go. */
async function ensureOne(options: BootstrapOptions, wanted: SystemObject): Promise<void> {
  const { objects, clock, signal } = options;
  const stored = objects.get(wanted.resource, keyOf(wanted));
  if (stored === undefined) return ensure(options, wanted, MANAGER);
  const ours = isMandatory(wanted) || isOurs(stored);
  const annotated = stored.metadata.annotations?.[AUTO_UPDATE] === String(ours);
  const differs = ours && !saysTheSame(stored, wanted);
  if (annotated && !differs) return;
  await objects.update(selfContext(objects, clock, signal, MANAGER), wanted.resource, keyOf(wanted), object => {
    object.metadata.annotations = { ...object.metadata.annotations, [AUTO_UPDATE]: String(ours) };
    if (differs) object['spec'] = structuredClone(wanted.object['spec']);
  });
}

/** Priority levels and flow schemas that a cluster begins with, at once. */
export const ensureFlowControl = (options: BootstrapOptions): Promise<unknown> =>
  Promise.all(FLOW_CONTROL.map(wanted => ensureOne(options, wanted)));

/** Makes them again when they were removed, and puts right those that are still ours; runs until the signal. */
export async function keepFlowControl(options: BootstrapOptions): Promise<void> {
  const { clock, signal, log } = options;
  while (!signal.aborted) {
    try {
      await clock.sleep(CHECK_MS, signal);
      await ensureFlowControl(options);
    } catch (error) {
      if (signal.aborted) return;
      log.error({ err: error }, 'could not check the flow schemas and priority levels');
    }
  }
}
