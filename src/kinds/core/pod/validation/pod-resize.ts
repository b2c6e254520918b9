import { forbidden, invalid, type FieldError, type FieldPath } from '../../../../machinery/field-error.js';
import { semanticEqual } from '../../../../machinery/json-equal.js';
import { isSidecar, type ReadonlyContainer } from './container-context.js';
import { podQos } from './pod-qos.js';
import { MIRROR } from './pod-annotations.js';
import { checkPod, NO_SPEC, SPEC, type ReadonlyPod, type ReadonlyPodSpec } from './pod.js';

type Resources = ReadonlyContainer['resources'];
type Quantities = Readonly<Record<string, string>>;

const removed = (now: Quantities | undefined, before: Quantities | undefined): boolean =>
  Object.keys(before ?? {}).some(name => now?.[name] === undefined);

function checkContainerResize(
  out: FieldError[],
  at: FieldPath,
  now: ReadonlyContainer,
  before: ReadonlyContainer,
): void {
  if (removed(now.resources?.requests, before.resources?.requests))
    out.push(forbidden(at.child('requests'), 'resource requests cannot be removed'));
  if (removed(now.resources?.limits, before.resources?.limits))
    out.push(forbidden(at.child('limits'), 'resource limits cannot be removed'));
}

/** With cpu and memory as they were: what remains may not differ. */
function withoutCompute(now: Resources, before: Resources): Resources {
  const restore = (list: 'limits' | 'requests'): Quantities | undefined => {
    const old = before?.[list];
    if (old === undefined) return undefined;
    const { cpu: _cpu, memory: _memory, ...rest } = now?.[list] ?? {};
    return {
      ...rest,
      ...(old['cpu'] === undefined ? {} : { cpu: old['cpu'] }),
      ...(old['memory'] === undefined ? {} : { memory: old['memory'] }),
    };
  };
  const [limits, requests] = [restore('limits'), restore('requests')];
  return { ...(limits && { limits }), ...(requests && { requests }) };
}

/** An update of /resize: cpu and memory of containers and sidecars. */
export function checkPodResize(out: FieldError[], pod: ReadonlyPod, old: ReadonlyPod): void {
  const [spec, before] = [pod.spec ?? NO_SPEC, old.spec ?? NO_SPEC];
  checkPod(out, pod);
  const refuse = (text: string): void => {
    out.length = 0;
    out.push(forbidden('[]', text));
  };
  const podLevel = (s: ReadonlyPodSpec): boolean =>
    Object.keys(s.resources?.limits ?? {}).length + Object.keys(s.resources?.requests ?? {}).length > 0;
  if (podLevel(spec) || podLevel(before)) return refuse('pods with pod-level resources cannot be resized');
  if (old.metadata.annotations?.[MIRROR] !== undefined) return refuse('static pods cannot be resized');
  if (before.os?.name === 'windows') return refuse('windows pods cannot be resized');
  if (
    spec.containers?.length !== before.containers?.length ||
    (spec.initContainers ?? []).length !== (before.initContainers ?? []).length
  ) {
    out.push(forbidden(SPEC, 'containers may not be added or removed'));
    return;
  }
  const qos = old.status?.qosClass ?? podQos(before);
  if (qos !== podQos(spec))
    out.push(invalid(SPEC, pod.status?.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing'));
  const running = old.status?.containerStatuses?.find(status => status.state?.running !== undefined);
  if (running !== undefined && running.resources === undefined)
    out.push(forbidden(SPEC, 'Pod running on node without support for resize'));
  const each = (
    list: 'initContainers' | 'containers',
    visit: (now: ReadonlyContainer, before: ReadonlyContainer, i: number) => void,
  ): void =>
    (spec[list] ?? []).forEach((container, i) => {
      const was = before[list]?.[i];
      if (was !== undefined) visit(container, was, i);
    });
  each('initContainers', (now, was, i) => {
    if (isSidecar(was)) checkContainerResize(out, SPEC.child('initContainers').index(i).child('resources'), now, was);
  });
  each('containers', (now, was, i) => {
    checkContainerResize(out, SPEC.child('containers').index(i).child('resources'), now, was);
  });
  const same = (now: ReadonlyContainer, was: ReadonlyContainer): boolean =>
    semanticEqual(
      { ...now, resources: withoutCompute(now.resources, was.resources) },
      { ...was, resources: was.resources ?? {} },
    );
  let others = true;
  each('containers', (now, was) => {
    if (same(now, was)) return;
    others = false;
    out.push(forbidden(SPEC, 'only cpu and memory resources are mutable'));
  });
  each('initContainers', (now, was) => {
    if (isSidecar(now) ? same(now, was) : semanticEqual(now, was)) return;
    others = false;
    const what = isSidecar(now)
      ? 'only cpu and memory resources for sidecar containers are mutable'
      : 'resources for non-sidecar init containers are immutable';
    out.push(forbidden(SPEC, what));
  });
  if (out.length > 0 || !others) return;
  const rest = { ...spec, containers: before.containers, initContainers: before.initContainers };
  if (!semanticEqual(rest, { ...before, initContainers: before.initContainers }))
    out.push(forbidden(SPEC, 'only cpu and memory resources are mutable'));
}
