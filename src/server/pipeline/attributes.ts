import type { FieldRequirement } from '../../machinery/fields.js';
import type { UserInfo } from '../../api/strategy.js';
import type { Attributes } from '../auth/authorizer.js';
import type { Exchange } from './exchange.js';

/**
 * What the user of a request wants to do with `verb`, as authorizers see it. A class, since V8 keeps what an object spread
 * makes through many collections, and with it the whole request.
 */
export class RequestAttributes implements Attributes {
  readonly user: UserInfo;
  readonly isResource: boolean;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
  readonly fields?: readonly FieldRequirement[];

  constructor(
    { info, user, fields }: Exchange,
    readonly verb = info.verb,
  ) {
    this.user = user;
    this.isResource = info.isResource;
    this.group = info.group;
    this.version = info.version;
    this.resource = info.resource;
    this.subresource = info.subresource;
    this.namespace = info.namespace;
    this.name = info.name;
    this.path = info.path;
    if (fields !== undefined) this.fields = fields;
  }
}
