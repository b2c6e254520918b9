import { isStatusError } from '../../src/machinery/status.js';

export const codeOf = (run: () => unknown): { code: number; message: string } | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    if (!isStatusError(error)) throw error;
    return { code: error.code, message: error.message };
  }
};
