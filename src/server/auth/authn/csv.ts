/** Bad CSV, in the words of Go's encoding/csv. */
export class CsvError extends Error {
  override readonly name = 'CsvError';
}

/** Records of comma-separated fields as Go's encoding/csv reads them; empty lines are skipped. @throws CsvError */
export function* parseCsv(text: string): Generator<string[]> {
  const lines = text.replace(/\r\n/g, '\n').split('\n');
  // Where a field or a quote stands, in bytes from 1, as Go counts.
  const column = (line: string, at: number): number => Buffer.byteLength(line.slice(0, at)) + 1;
  for (let n = 0; n < lines.length; n++) {
    let line = lines[n] ?? '';
    if (line === '') continue;
    const start = n + 1;
    const record: string[] = [];
    let at = 0;
    for (let more = true; more;) {
      if (line[at] !== '"') {
        const comma = line.indexOf(',', at);
        const end = comma < 0 ? line.length : comma;
        const field = line.slice(at, end);
        const quote = field.indexOf('"');
        if (quote >= 0) throw parseError(start, n + 1, column(line, at + quote), 'bare " in non-quoted-field');
        record.push(field);
        at = end + 1;
        more = comma >= 0;
        continue;
      }
      let field = '';
      at++;
      for (;;) {
        const quote = line.indexOf('"', at);
        if (quote < 0) {
          // The field goes on in the next line.
          if (n + 1 >= lines.length)
            throw parseError(start, n + 1, column(line, line.length), 'extraneous or missing " in quoted-field');
          field += `${line.slice(at)}\n`;
          line = lines[++n] ?? '';
          at = 0;
          continue;
        }
        field += line.slice(at, quote);
        at = quote + 1;
        if (line[at] === '"') {
          field += '"';
          at++;
          continue;
        }
        if (at < line.length && line[at] !== ',')
          throw parseError(start, n + 1, column(line, quote), 'extraneous or missing " in quoted-field');
        break;
      }
      record.push(field);
      more = line[at] === ',';
      at++;
    }
    yield record;
  }
}

const parseError = (start: number, line: number, column: number, what: string): CsvError =>
  new CsvError(
    start === line
      ? `parse error on line ${line}, column ${column}: ${what}`
      : `record on line ${start}; parse error on line ${line}, column ${column}: ${what}`,
  );
