import { isObject, reviewServer, type Json, type Reviewer } from './review-server.js';

const V1 = 'stable.example.com/v1';
const V2 = 'stable.example.com/v2';

class NoConversion extends Error {}

const quote = (text: unknown): string => JSON.stringify(text);
/** Go's %v of a value that should be a string. */
const show = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? ''));

/** hostPort "a:b" of v1 is host "a" and port "b" of v2. @throws NoConversion */
function convert(object: Json, to: string): Json {
  const from = object['apiVersion'];
  if (from === to) throw new NoConversion(`conversion from a version to itself should not call the webhook: ${to}`);
  if (from === V1 && to === V2) {
    const { hostPort, ...rest } = object;
    if (hostPort === undefined) return { ...rest, apiVersion: to };
    const parts = show(hostPort).split(':');
    if (parts.length !== 2) throw new NoConversion(`invalid hostPort value \`${show(hostPort)}\``);
    return { ...rest, apiVersion: to, host: parts[0], port: parts[1] };
  }
  if (from === V2 && to === V1) {
    const { host, port, ...rest } = object;
    if (host === undefined && port === undefined) return { ...rest, apiVersion: to };
    return { ...rest, apiVersion: to, hostPort: `${show(host ?? '')}:${show(port ?? '')}` };
  }
  throw new NoConversion(`unexpected conversion version ${quote(from === V1 || from === V2 ? to : from)}`);
}

const convertAll: Reviewer = ({ objects, desiredAPIVersion }) => {
  try {
    const list = Array.isArray(objects) ? objects.filter(isObject) : [];
    const convertedObjects = list.map(object => convert(object, String(desiredAPIVersion)));
    return { convertedObjects, result: { metadata: {}, status: 'Success' } };
  } catch (error) {
    if (!(error instanceof NoConversion)) throw error;
    return { convertedObjects: null, result: { metadata: {}, status: 'Failure', message: error.message } };
  }
};

/** The conversion webhook of the Kubernetes test image. */
export const crdConversionWebhook = reviewServer({
  kind: 'ConversionReview',
  group: 'apiextensions.k8s.io',
  echoesRequest: true,
  reviewers: { '/crdconvert': convertAll },
});
