import type { Handler } from './handler.js';
import type { ResourceAction } from '../pipeline/exchange.js';
import { connect } from './connect.js';
import { deleteCollection, deleteObject } from './delete.js';
import { getObject, listObjects } from './read.js';
import { watchObjects } from './watch.js';
import { createObject, invoke, patchObject, updateObject } from './write.js';

const HANDLERS: Readonly<Record<ResourceAction, Handler>> = {
  get: getObject,
  list: listObjects,
  watch: watchObjects,
  create: createObject,
  update: updateObject,
  patch: patchObject,
  delete: deleteObject,
  deletecollection: deleteCollection,
  invoke,
  connect,
};

/** Does what a resource route asks for. */
export const dispatch: Handler = (exchange, route, context) => {
  const { deprecationWarning } = route.entry.info;
  if (deprecationWarning !== undefined) {
    exchange.warnings.push(deprecationWarning);
    exchange.audit?.annotate('k8s.io/deprecated', 'true');
  }
  return HANDLERS[route.action](exchange, route, context);
};
