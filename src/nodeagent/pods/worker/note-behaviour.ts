import type { PodWork } from './pod-work.js';

/** Says what the Pod is told and cannot follow, whenever that is something else than before. */
export function noteBehaviour({ state, deps, events }: PodWork): void {
  const problems = deps.behaviours.problems(state.pod);
  for (const problem of problems)
    if (!state.behaviourProblems.includes(problem)) events.warning('InvalidBehaviour', problem);
  state.behaviourProblems = problems;
}
