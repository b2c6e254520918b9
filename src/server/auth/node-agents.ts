/** Whose members are more than kubelets: proxies of their nodes, too. Other holders of system:nodes are not. */
export const NODE_AGENTS = 'kubette:node-agents';
