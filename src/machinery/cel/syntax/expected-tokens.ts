/** What could have stood where something else does, as ANTLR lists it: by the numbers of cel-go's tokens. */

const PREFIXES =
  "'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER";

/** An operand. */
export const OPERAND = `{${PREFIXES}}`;
/** The first argument of a call, or its end. */
export const ARGUMENT_OR_END = `{${PREFIXES.replace("'(', '.'", "'(', ')', '.'")}}`;
export const INDEX = OPERAND.replace("'!'", "'!', '?'");
export const LIST_ITEM_OR_END = `{${PREFIXES.replace("'['", "'[', ']'").replace("'.'", "'.', ','").replace("'!'", "'!', '?'")}}`;
export const MAP_ENTRY_OR_END = `{${PREFIXES.replace("'{'", "'{', '}'").replace("'.'", "'.', ','").replace("'!'", "'!', '?'")}}`;
export const FIELD_NAME = '{IDENTIFIER, ESC_IDENTIFIER}';
export const FIELD_OR_END = "{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}";
