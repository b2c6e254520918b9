import type { Program } from '../process.js';

export const ping: Program = async process => {
  await process.stderr.write(
    `${process.args[0] ?? 'ping'}: ICMP is not simulated by this network: only TCP and UDP are\n`,
  );
  return 1;
};
