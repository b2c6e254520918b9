/** A message that cannot be read; `reply` is what its sender is told, undefined when it is nothing. */
export class MessageError extends Error {
  override readonly name: string = 'MessageError';
  constructor(
    message: string,
    readonly reply?: Buffer,
  ) {
    super(message);
  }
}

/** Only a header, which says that there is a question. */
export class NoQuestionError extends MessageError {
  override readonly name = 'NoQuestionError';
}
