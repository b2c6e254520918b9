/** Whose members are more than kubelets: proxies of their nodes, too. Other holders of system:nodes are not. */
export const NODE_AGENTS = 'kubette:node-agents';
/** Of a process that has many nodes: its serving certificate names them all. Nobody gets one by asking the API for it. */
export const NODE_HOSTS = 'kubette:node-hosts';
