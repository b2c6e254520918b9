import type { Answer, decode as decodePacket, DecodedPacket } from 'dns-packet';

/** The longest message that is looked into. */
const MAX_BYTES = 4096;
const MAX_ANSWERS = 64;

/** What tcpdump says of a DNS message: "40123+ A? web.default.svc.cluster.local. (47)"; undefined: it is none. */
export function dnsText(payload: Buffer, decode: typeof decodePacket): string | undefined {
  if (payload.length < 12 || payload.length > MAX_BYTES) return undefined;
  let message: DecodedPacket;
  try {
    message = decode(payload);
  } catch {
    // What a Pod sends to port 53 need not be DNS.
    return undefined;
  }
  const { answers = [], authorities = [], additionals = [], questions = [] } = message;
  const size = ` (${payload.length})`;
  if (message.type !== 'response') {
    const counts = [
      ...(answers.length > 0 ? [`[${answers.length}a]`] : []),
      ...(authorities.length > 0 ? [`[${authorities.length}n]`] : []),
      ...(additionals.length > 0 ? [`[${additionals.length}au]`] : []),
    ];
    const asked = questions.slice(0, 8).map(({ name, type }) => `${type}? ${dotted(name)}`);
    return `${message.id ?? 0}${message.flag_rd ? '+' : ''}${[...counts, ...asked].map(part => ` ${part}`).join('')}${size}`;
  }
  const { rcode } = message as DecodedPacket & { rcode?: string };
  const failure = rcode === undefined || rcode === 'NOERROR' ? '' : ` ${FAILURES[rcode] ?? rcode}`;
  const flags = `${message.flag_aa ? '*' : ''}${message.flag_ra ? '' : '-'}${message.flag_tc ? '|' : ''}`;
  const shown = answers.slice(0, MAX_ANSWERS).map(answerText).join(', ');
  return `${message.id ?? 0}${failure}${flags} ${answers.length}/${authorities.length}/${additionals.length}${shown === '' ? '' : ` ${shown}`}${size}`;
}

const FAILURES: Readonly<Record<string, string>> = {
  NXDOMAIN: 'NXDomain',
  SERVFAIL: 'ServFail',
  REFUSED: 'Refused',
  FORMERR: 'FormErr',
  NOTIMP: 'NotImp',
};

const dotted = (name: string): string => `${name.replace(/[^\x21-\x7e]/g, '.')}.`.replace(/^\.\.$/, '.');

function answerText(answer: Answer): string {
  switch (answer.type) {
    case 'A':
    case 'AAAA':
      return `${answer.type} ${answer.data}`;
    case 'CNAME':
    case 'PTR':
    case 'NS':
      return `${answer.type} ${dotted(answer.data)}`;
    case 'SRV':
      return `SRV ${dotted(answer.data.target)}:${answer.data.port} ${answer.data.priority ?? 0} ${answer.data.weight ?? 0}`;
    default:
      return answer.type;
  }
}
