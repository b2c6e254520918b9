import { isIP } from 'node:net';

/** Whether text can be a node's address. */
export const isNodeAddress = (text: string): boolean => isIP(text) === 4;
