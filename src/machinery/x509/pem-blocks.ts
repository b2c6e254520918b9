export interface PemBlock {
  readonly type: string;
  readonly headers: boolean;
  readonly bytes: Buffer;
}

const BEGIN = '-----BEGIN ';
const DASHES = '-----';

/** The blocks of a PEM text, in time linear in its length; what is none is passed over. Source: Go's encoding/pem. */
export function* pemBlocks(text: string): Generator<PemBlock, void, void> {
  for (let from = 0; ;) {
    const begin = text.indexOf(BEGIN, from);
    if (begin < 0) return;
    from = begin + BEGIN.length;
    if (begin > 0 && text[begin - 1] !== '\n') continue;
    const line = text.indexOf('\n', from);
    if (line < 0) return;
    const first = text.slice(from, line).trimEnd();
    if (!first.endsWith(DASHES)) continue;
    const type = first.slice(0, -DASHES.length);
    const end = text.indexOf('-----END ', line);
    if (end < 0) return;
    if (!text.startsWith(`${type}${DASHES}`, end + '-----END '.length)) continue;
    const body = text.slice(line + 1, end);
    const headers = body.includes(':');
    const base64 = headers ? body.slice(Math.max(0, body.indexOf('\n\n'))) : body;
    from = end + '-----END '.length;
    if (!headers && /[^A-Za-z0-9+/=\s]/.test(base64)) continue;
    yield { type, headers, bytes: Buffer.from(base64, 'base64') };
  }
}
