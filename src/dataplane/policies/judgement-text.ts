import { endText } from '../kernel/passage.js';
import type { Finding, Judgement, ObjectName } from './types.js';

/** More names than these tell nobody more. */
const SHOWN = 5;

const nameText = ({ namespace, name }: ObjectName): string => `${namespace}/${name}`;

function listText(names: readonly ObjectName[]): string {
  const shown = names.slice(0, SHOWN).map(nameText).join(', ');
  return names.length > SHOWN ? `${shown} and ${names.length - SHOWN} more` : shown;
}

/** For people: why policies let a packet through, or which ones would have to change for it. */
export function findingText(finding: Finding, { packet, source, destination }: Judgement): string {
  const { direction, pod, policies, allowedBy } = finding;
  if (allowedBy !== undefined)
    return `NetworkPolicy ${nameText(allowedBy.policy)} allows it: ${direction} rule ${allowedBy.rule} for ${nameText(pod)}`;
  const from = source === undefined ? packet.src : `${nameText(source)} (${packet.src})`;
  const end = endText(packet.dst, packet.dstPort);
  const to = destination === undefined ? end : `${nameText(destination)} (${end})`;
  const what = `${packet.protocol} from ${from} to ${to}`;
  return policies.length === 1
    ? `NetworkPolicy ${listText(policies)} selects ${nameText(pod)} for ${direction}, and none of its rules allows ${what}`
    : `NetworkPolicies ${listText(policies)} select ${nameText(pod)} for ${direction}, and no rule of theirs allows ${what}`;
}
