/** Nodes of one cluster on one machine that have a process each, and one of 253 addresses. */
export const MAX_OWN_PROCESSES = 250;
/** All nodes, most of them several to a process. */
export const MAX_NODES = 5_000;
/** As many as one process runs when nobody says, where there are too many for one each. */
export const NODES_PER_AGENT = 1_000;
