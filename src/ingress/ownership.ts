import type { DeepReadonly, Ingress, IngressClass } from '../machinery/types.js';
import { CLASS, INGRESS_CONTROLLER } from './names.js';

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';

/** Whether an Ingress is of a class that is this controller's; the annotation is how it was said before there were classes. */
export function isOurs(
  { metadata, spec }: DeepReadonly<Ingress>,
  classes: { get(name: string): DeepReadonly<IngressClass> | undefined },
): boolean {
  const name = spec?.ingressClassName;
  if (name !== undefined) return classes.get(name)?.spec?.controller === INGRESS_CONTROLLER;
  return metadata.annotations?.[CLASS_ANNOTATION] === CLASS;
}
