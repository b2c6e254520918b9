import type { ReadonlyPod } from './types.js';

/** The class that the API server gave the Pod. */
export const podQosClass = ({ status }: ReadonlyPod): string => status?.qosClass ?? 'BestEffort';
