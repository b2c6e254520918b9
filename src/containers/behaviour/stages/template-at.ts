import { parseTemplate } from '../../../machinery/go-template/parse.js';
import { TemplateSyntaxError, type Template } from '../../../machinery/go-template/syntax.js';
import { textAt, type BehaviourDocument, type FieldPath } from '../documents.js';
import { KNOWN_FUNCTIONS } from './functions.js';

/** @throws BehaviourFileError saying what of Go's templates is not supported */
export function templateAt(document: BehaviourDocument, given: unknown, at: FieldPath): Template {
  try {
    return parseTemplate(textAt(document, given, at).trim(), KNOWN_FUNCTIONS);
  } catch (error) {
    if (error instanceof TemplateSyntaxError) return document.refuse(at, error.message);
    throw error;
  }
}
