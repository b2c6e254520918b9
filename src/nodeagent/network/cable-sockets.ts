import type { Socket } from 'node:net';
import type { Cable } from '../../machinery/cable.js';

/** What is sent while the cable is pulled goes out when it is plugged in again, as TCP would send it again. */
export function freezeWith(cable: Cable | undefined, socket: Socket): void {
  if (cable === undefined) return;
  let frozen = false;
  let wasPaused = false;
  const set = (plugged: boolean): void => {
    if (plugged !== frozen || socket.destroyed) return;
    frozen = !plugged;
    if (frozen) {
      wasPaused = socket.isPaused();
      socket.pause();
      socket.cork();
    } else {
      socket.uncork();
      if (!wasPaused) socket.resume();
    }
  };
  const forget = cable.onChange(set);
  socket.once('close', forget);
  set(cable.plugged);
}

/** For what cannot stand still: it is lost. */
export function breakWith(cable: Cable | undefined, socket: Socket): void {
  if (cable === undefined) return;
  if (!cable.plugged) return void socket.destroy();
  const forget = cable.onChange(() => void socket.destroy());
  socket.once('close', forget);
}
