import { matchesRequiredNodeAffinity, termMatches } from '../../../machinery/scheduling/node-affinity.js';
import { normalizeByMax, unresolvable, type Plugin, type ReadonlyPod } from '../plugin.js';

const requiredTerms = ({ spec }: ReadonlyPod) =>
  spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
const preferredTerms = ({ spec }: ReadonlyPod) =>
  spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];

/** The nodes that are named in every term; undefined when a term leaves the name open. */
function namedNodes(pod: ReadonlyPod): ReadonlySet<string> | undefined {
  const all = new Set<string>();
  for (const { matchFields = [] } of requiredTerms(pod) ?? []) {
    let named: ReadonlySet<string> | undefined;
    for (const { key, operator, values = [] } of matchFields) {
      if (key !== 'metadata.name' || operator !== 'In') continue;
      const before = named;
      named = new Set(before === undefined ? values : values.filter(value => before.has(value)));
    }
    if (named === undefined) return undefined;
    for (const name of named) all.add(name);
  }
  return all;
}

export const nodeAffinity = (): Plugin => ({
  name: 'NodeAffinity',
  weight: 2,
  events: ['node/added', 'node/labels'],
  preFilter({ pod }) {
    const terms = requiredTerms(pod);
    if (terms === undefined && pod.spec?.nodeSelector === undefined) return { skip: true };
    const nodes = terms === undefined || terms.length === 0 ? undefined : namedNodes(pod);
    if (nodes === undefined) return { state: {} };
    if (nodes.size > 0) return { state: {}, nodes };
    return { rejection: unresolvable('pod affinity terms conflict') };
  },
  filter: (_state, { pod }, { node }) =>
    node !== undefined && matchesRequiredNodeAffinity(pod, node)
      ? undefined
      : unresolvable("node(s) didn't match Pod's node affinity/selector"),
  preScore: ({ pod }) => (preferredTerms(pod).length === 0 ? undefined : {}),
  score: (_state, { pod }, node) =>
    preferredTerms(pod).reduce(
      (sum, { weight, preference }) =>
        weight !== 0 && termMatches(preference, node.labels, node.name) ? sum + weight : sum,
      0,
    ),
  normalize: (_state, scores) => normalizeByMax(scores, false),
});
