import { driveNodeOperator } from './main.js';

const kubeconfig = process.env['KUBECONFIG'];
if (kubeconfig === undefined) throw new Error('KUBECONFIG is not set');
await driveNodeOperator(kubeconfig, what => console.log(`ok ${what}`));
