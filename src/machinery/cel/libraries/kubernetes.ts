import type { Library } from '../declarations.js';
import { OPTIONALS, STANDARD, TWO_VARIABLES } from '../standard/library.js';
import { AUTHORIZER, AUTHORIZER_SELECTORS } from './authorizer.js';
import { CIDR } from './cidr.js';
import { EXT_LISTS } from './ext-lists.js';
import { FORMATS } from './formats.js';
import { IP } from './ip.js';
import { LISTS } from './lists.js';
import { QUANTITY } from './quantity.js';
import { REGEX } from './regex.js';
import { SEMVER } from './semver.js';
import { SETS } from './sets.js';
import { STRINGS } from './strings.js';
import { URLS } from './urls.js';

/**
 * What expressions of Kubernetes 1.35 may call, in the order in which upstream adds it, which is that of overloads.
 * Source: k8s.io/apiserver pkg/cel/environment/base.go. There is neither ext.Math nor ext.Encoders nor cel.bind in it.
 */
export const KUBERNETES: readonly Library[] = [
  STANDARD,
  URLS,
  REGEX,
  LISTS,
  AUTHORIZER,
  OPTIONALS,
  QUANTITY,
  STRINGS,
  SETS,
  IP,
  CIDR,
  FORMATS,
  AUTHORIZER_SELECTORS,
  TWO_VARIABLES,
  SEMVER,
  EXT_LISTS,
];
