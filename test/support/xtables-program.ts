import type { Program, XtablesProgram } from '../../src/dataplane/kernel/program.js';

/** The program of a mode that fills the tables of iptables. */
export function xtablesProgram(program: Program): XtablesProgram {
  if (program.kind !== 'xtables') throw new Error(`the program is one of ${program.kind}`);
  return program;
}
