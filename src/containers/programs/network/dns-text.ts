import type { DnsRecord } from '../../network/dns-question.js';

/** The data of a record as a zone file has it: names end with a dot. */
export function dataText({ type, data }: Pick<DnsRecord, 'type' | 'data'>): string {
  switch (type) {
    case 'CNAME':
    case 'PTR':
    case 'NS':
    case 'SRV':
    case 'MX':
      return data.endsWith('.') ? data : `${data}.`;
    default:
      return data;
  }
}

/** Where a line with tabs ends. */
const widthOf = (text: string): number => {
  let at = 0;
  for (const character of text) at = character === '\t' ? (Math.floor(at / 8) + 1) * 8 : at + 1;
  return at;
};

/** Cells that stand at columns; the last is as it is. */
export function inColumns(cells: readonly (readonly [text: string, column: number])[], last: string): string {
  let line = '';
  for (const [text, column] of cells) {
    line += text;
    const at = widthOf(line);
    line += at >= column ? ' ' : '\t'.repeat(Math.ceil((column - at) / 8));
  }
  return line + last;
}

/** A record's line in dig's sections. */
export const recordLine = (record: DnsRecord): string =>
  `${inColumns(
    [
      [`${record.name}.`.replace(/^\.\.$/, '.'), 24],
      [String(record.ttl), 32],
      ['IN', 40],
      [record.type, 48],
    ],
    dataText(record),
  )}\n`;
