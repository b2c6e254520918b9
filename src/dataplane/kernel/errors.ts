/** A ruleset that cannot be loaded, or a question about a connection that does not exist. Nothing was changed. */
export class NetfilterError extends Error {
  override readonly name = 'NetfilterError';
}
