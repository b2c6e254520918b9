import { API_VERSION, KIND } from './file.js';
import { settingOf, SETTING_NAMES } from './settings.js';

const glob = (description: string): object => ({ type: 'string', description: `${description}; "*" is any text` });

/** The JSON schema of a document of a behaviour file. */
export const behaviourSchema = (): object => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'How simulated containers behave',
  type: 'object',
  required: ['apiVersion', 'kind'],
  if: { properties: { kind: { const: KIND } } },
  then: {
    required: ['rules'],
    additionalProperties: false,
    properties: {
      apiVersion: { const: API_VERSION },
      kind: { const: KIND },
      metadata: { type: 'object' },
      rules: { type: 'array', items: RULE },
    },
  },
});

/** Of one rule of it. */
export const RULE = {
  type: 'object',
  required: ['behaviour'],
  additionalProperties: false,
  properties: {
    match: {
      type: 'object',
      additionalProperties: false,
      properties: {
        image: glob('the image as its Pod writes it, or whole; with its tag or without'),
        namespace: glob('the namespace of the Pod'),
        labels: { type: 'object', additionalProperties: { type: 'string' }, description: 'labels that the Pod has' },
        container: glob('the name of the container'),
      },
    },
    behaviour: {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(
        SETTING_NAMES.map(name => {
          const { kind, what } = settingOf(name);
          return [name, { description: `${what} ${kind.allowed}`, ...kind.schema }];
        }),
      ),
    },
  },
} as const;
