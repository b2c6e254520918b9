import { FileError } from '../file-system.js';
import type { Program } from '../process.js';
import { parseOptions } from './options.js';

/** sysctl [-n] NAME[=VALUE]...: those of the Pod's own namespaces. */
export const sysctl: Program = async process => {
  const { operands, has } = parseOptions(process.args.slice(1), { short: 'neqwa' });
  const { files, security } = process.container;
  let status = 0;
  for (const given of operands) {
    const [text = '', value] = given.split('=');
    const name = text.trim().replace(/\//g, '.');
    const path = `/proc/sys/${name.replace(/\./g, '/')}`;
    try {
      const found = security.sysctls[name] ?? (await files.read(path)).toString().trim();
      if (value !== undefined) {
        await process.stderr.write(`sysctl: error setting key '${name}': Read-only file system\n`);
        status = 1;
      } else await process.stdout.write(has('n') ? `${found}\n` : `${name} = ${found}\n`);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      if (!has('e')) await process.stderr.write(`sysctl: error: '${name}' is an unknown key\n`);
      status = 1;
    }
  }
  return status;
};
