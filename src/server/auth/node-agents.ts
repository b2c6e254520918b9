/** Whose members are more than kubelets: proxies of their nodes, too. Other holders of system:nodes are not. */
export const NODE_AGENTS = 'kubette:node-agents';
/** Of processes that have many nodes, and answer for whichever it is. Nobody gets such a certificate by asking the API for it. */
export const NODE_HOSTS = 'kubette:node-hosts';
