import { HttpError, sendJson, type KubeletRoute } from './types.js';

/**
 * DELETE /volumes/DIRECTORY: the files of a volume that the provisioner has made here; what is not there is gone already. In
 * kind a Pod on the node does it.
 */
export const volumes: KubeletRoute = async ({ keptVolumes }, { message, response, segments }) => {
  const [directory = '', ...more] = segments;
  if (message.method !== 'DELETE') throw new HttpError(405, 'only DELETE is served');
  if (directory === '' || more.length > 0) throw new HttpError(404, '404 page not found');
  await keptVolumes.remove(directory);
  sendJson(response, { removed: directory });
};
