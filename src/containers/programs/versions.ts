/** "a9" before "a10": runs of digits count as numbers (strverscmp(3), but for its leading zeros). */
export function compareVersions(a: string, b: string): number {
  const left = runs(a);
  const right = runs(b);
  for (const [at, mine] of left.entries()) {
    const other = right[at];
    if (other === undefined) return 1;
    if (mine === other) continue;
    if (isDigit(mine[0]) && isDigit(other[0])) {
      const [x, y] = [mine.replace(/^0+/, ''), other.replace(/^0+/, '')];
      if (x !== y) return x.length - y.length || (x < y ? -1 : 1);
    }
    return mine < other ? -1 : 1;
  }
  return left.length - right.length;
}

const isDigit = (character: string | undefined): boolean =>
  character !== undefined && character >= '0' && character <= '9';

const runs = (text: string): string[] => text.match(/[0-9]+|[^0-9]+/g) ?? [];
