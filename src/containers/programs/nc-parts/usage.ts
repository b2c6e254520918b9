export const USAGE =
  'nc: usage: nc [-nuvz] [-w SEC] [-p PORT] HOST PORT[-PORT] [-e PROG ARGS], nc -l [-knuv] [-w SEC] [-p] PORT [-e PROG ARGS]\n';

export const MAX_PORTS = 65_536;
