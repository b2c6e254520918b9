/** A file of behaviour that cannot be followed. `message` names the file, the line and the field, on one line. */
export class BehaviourFileError extends Error {
  override readonly name = 'BehaviourFileError';
}
