import { logFile, openLog, type LogFile } from '../clusters/logs.js';

/** What the parts of a cluster say of themselves, kept for `kubette logs`. */
export function createLogs(dataDir: string): { write(component: string, line: string): void } {
  const files = new Map<string, Promise<LogFile>>();
  return {
    write(component, line) {
      let file = files.get(component);
      if (file === undefined) files.set(component, (file = openLog(logFile(dataDir, component))));
      // A log that cannot be written stops nobody; the line stands on the terminal anyway.
      file.then(log => log.write(line)).catch((error: Error) => process.stderr.write(`kubette up: ${error.message}\n`));
    },
  };
}
