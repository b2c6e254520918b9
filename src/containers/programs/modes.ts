import type { FileStat } from '../file-system.js';

const TYPES: Readonly<Record<FileStat['type'], string>> = {
  regular: '-',
  directory: 'd',
  link: 'l',
  character: 'c',
  fifo: 'p',
};

/** "drwxr-sr-x", as ls shows it. */
export function permissions(mode: number, type: FileStat['type']): string {
  const letters = [6, 3, 0].map((shift, who) => {
    const [r = '', w = '', x = ''] = ['r', 'w', 'x'].map((c, i) => (((mode >> shift) & (4 >> i)) !== 0 ? c : '-'));
    // setuid, setgid and sticky show in the place of x.
    const special = (mode & (0o4000 >> who)) === 0 ? undefined : who === 2 ? 't' : 's';
    return r + w + (special === undefined ? x : x === 'x' ? special : special.toUpperCase());
  });
  return TYPES[type] + letters.join('');
}

/** "640", "u+x,go-w" or "a=r" applied to a mode. @throws Error */
export function changeMode(text: string, mode: number): number {
  if (/^[0-7]{1,4}$/.test(text)) return parseInt(text, 8);
  const shifts: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };
  let result = mode;
  for (const clause of text.split(',')) {
    const [, who = '', operator = '', letters = ''] = /^([ugoa]*)([-+=])([rwxXst]*)$/.exec(clause) ?? [];
    if (operator === '') throw new Error(`invalid mode '${text}'`);
    const classes = who === '' || who.includes('a') ? ['u', 'g', 'o'] : [...who];
    for (const letter of classes) {
      const shift = shifts[letter] ?? 0;
      let bits = 0;
      if (letters.includes('r')) bits |= 4;
      if (letters.includes('w')) bits |= 2;
      if (letters.includes('x') || (letters.includes('X') && (mode & 0o111) !== 0)) bits |= 1;
      const special = letters.includes('s') ? { u: 0o4000, g: 0o2000, o: 0 }[letter] : undefined;
      const change = (bits << shift) | (special ?? 0) | (letters.includes('t') ? 0o1000 : 0);
      if (operator === '=') result = (result & ~(7 << shift)) | change;
      else result = operator === '+' ? result | change : result & ~change;
    }
  }
  return result;
}
