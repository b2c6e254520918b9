/** Nodes of one cluster on one machine: each has a process, and one of 253 addresses. */
export const MAX_NODES = 250;
