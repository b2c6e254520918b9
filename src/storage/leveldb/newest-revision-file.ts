/**
 * What the file is called that has the newest acknowledged revision (`newest-revision.ts`): apart from what reads and writes it, so
 * that whoever only says where it is loads nothing.
 */
export const NEWEST_REVISION = 'newest-revision';
