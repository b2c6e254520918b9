import type { CoreEvent, DeepReadonly } from '../../../machinery/types.js';
import { nameOf, plain } from './text.js';

/** What a reason and the object's name say already. */
const SHORTER: Readonly<Record<string, (message: string) => string | undefined>> = {
  Scheduled: message => after(message, ' to '),
  Pulled: () => '',
  Created: () => '',
  Started: () => '',
  Killing: () => '',
  SuccessfulCreate: message => after(message, ': '),
  SuccessfulDelete: message => after(message, ': '),
};
const AS_SENTENCE: Readonly<Record<string, string>> = { Scheduled: 'to ' };

const after = (message: string, mark: string): string | undefined => {
  const at = message.lastIndexOf(mark);
  return at < 0 ? undefined : message.slice(at + mark.length);
};

const CONTAINER = /^spec\.(?:init|ephemeral)?[Cc]ontainers\{([^{}]*)\}$/;

/** "pod/default/web-1 Scheduled to node-2", "pod/default/web-1 BackOff: Back-off restarting … (5 times)". */
export function eventLine(event: DeepReadonly<CoreEvent>): string {
  const { involvedObject, reason = '', message = '', count, series, type } = event;
  const { kind = '', fieldPath = '' } = involvedObject;
  const container = CONTAINER.exec(fieldPath)?.[1];
  const short = type === 'Warning' ? undefined : SHORTER[reason]?.(message);
  const says = short ?? message;
  const mark = short !== undefined && reason in AS_SENTENCE ? ` ${AS_SENTENCE[reason] ?? ''}` : says === '' ? '' : ': ';
  const times = series?.count ?? count ?? 1;
  const who = container === undefined ? '' : ` ${container}`;
  return plain(
    `${kind.toLowerCase()}/${nameOf(involvedObject)}${who} ${reason}${mark}${says}${times > 1 ? ` (${times} times)` : ''}`,
  );
}
