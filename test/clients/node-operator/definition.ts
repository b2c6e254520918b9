import type { KubernetesObject, V1CustomResourceDefinition, V1ObjectMeta } from '@kubernetes/client-node';

export const GROUP = 'greetings.example.com';
export const PLURAL = 'greetings';

export interface Greeting extends KubernetesObject {
  metadata: V1ObjectMeta;
  spec: { text: string; times?: number; language?: string };
  status?: { observedGeneration?: number; shown?: string };
}

const number = { type: 'integer', format: 'int32' };

/** Greetings: rules in CEL, defaults, a status, two printed columns. */
export const definition: V1CustomResourceDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${PLURAL}.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { plural: PLURAL, singular: 'greeting', kind: 'Greeting', shortNames: ['hi'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [{ name: 'Shown', type: 'string', jsonPath: '.status.shown' }],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              spec: {
                type: 'object',
                required: ['text'],
                x_kubernetes_validations: [
                  { rule: 'self.text.size() * self.times <= 100', message: 'a greeting may not be a speech' },
                ],
                properties: {
                  text: { type: 'string', minLength: 1, maxLength: 50 },
                  times: { ...number, _default: 1, minimum: 1, maximum: 100 },
                  language: { type: 'string', maxLength: 10 },
                },
              },
              status: {
                type: 'object',
                properties: { observedGeneration: { type: 'integer' }, shown: { type: 'string' } },
              },
            },
          },
        },
      },
    ],
  },
};
