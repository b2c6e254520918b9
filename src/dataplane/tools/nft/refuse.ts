/** Says what is wrong with something, where it stands. @throws NetfilterError */
export type Refuse = (why: string) => never;
