/** What the parts of a process say about themselves: fields for programs, a message for people. */
export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const nothing = (): void => undefined;
export const SILENT: Logger = { info: nothing, warn: nothing, error: nothing };
