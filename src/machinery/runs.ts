/** On the Lease of a controller manager: the controllers it runs, comma separated. */
export const RUNS_ANNOTATION = 'kubette.dev/controllers';
