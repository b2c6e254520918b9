import type { Program } from '../process.js';

/** stty [-a] [size|raw|-raw|cooked|sane|echo|-echo...] */
export const stty: Program = async process => {
  const { terminal } = process;
  if (terminal === undefined) {
    await process.stderr.write('stty: standard input: Not a tty\n');
    return 1;
  }
  const words = process.args.slice(1).filter(word => word !== '-a' && word !== '-F');
  for (const word of words) {
    if (word === 'size') await process.stdout.write(`${terminal.rows} ${terminal.columns}\n`);
    else if (word === 'raw' || word === '-icanon') terminal.setRaw(true);
    else if (word === '-raw' || word === 'cooked' || word === 'sane' || word === 'icanon') terminal.setRaw(false);
  }
  if (words.length === 0)
    await process.stdout.write(
      `speed 38400 baud; rows ${terminal.rows}; columns ${terminal.columns};\nintr = ^C; quit = ^\\; erase = ^?; kill = ^U; eof = ^D;\n`,
    );
  return 0;
};

/** resize: what the terminal says of its size. */
export const resize: Program = async process => {
  const { columns = 80, rows = 24 } = process.terminal ?? {};
  await process.stdout.write(`COLUMNS=${columns};LINES=${rows};export COLUMNS LINES;\n`);
  return 0;
};
