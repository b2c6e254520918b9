import type { Library } from '../declarations.js';
import { STRING } from '../types.js';
import { copiesFirst } from './overloads.js';
import { overload } from '../standard/overload.js';

const escapeKey = (key: string): string => key.replace(/[~/]/g, char => (char === '~' ? '~0' : '~1'));

/** Of mutating admission policies only. Source: k8s.io/apiserver pkg/cel/library/jsonpatch.go. */
export const JSON_PATCH: Library = {
  name: 'kubernetes.jsonpatch',
  functions: [
    {
      name: 'jsonpatch.escapeKey',
      doc: 'A key as it is written in the path of a JSON patch.',
      examples: [{ expr: `jsonpatch.escapeKey('k8s.io/my~label')`, is: `'k8s.io~1my~0label'` }],
      overloads: [overload('string_jsonpatch_escapeKey_string', [STRING], STRING, escapeKey, copiesFirst())],
    },
  ],
};
