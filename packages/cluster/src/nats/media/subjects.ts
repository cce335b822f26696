import { tokenOf } from '../names.js';

/** Where the batches of a stream go. */
export const mediaSubject = (namespace: string, path: string, epoch: string): string =>
  `${namespace}.media.${tokenOf(path)}.${epoch}`;

/** Where a node is asked for what is published there. */
export const originSubject = (namespace: string, node: string): string => `${namespace}.origin.${tokenOf(node)}`;
