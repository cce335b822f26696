/** The subjects on which nodes tell each other how they are; permissions of a NATS account are written by them. */
export interface ControlSubjects {
  readonly presence: string;
  /** Asks all nodes to tell of themselves at once. */
  readonly hello: string;
  readonly sessions: string;
  readonly figures: string;
  readonly streams: string;
  /** To one node, by its id. */
  snapshotOf(node: string): string;
  orderTo(node: string): string;
  readonly orderToAll: string;
}

export function controlSubjects(namespace: string): ControlSubjects {
  const base = `${namespace}.control`;
  return {
    presence: `${base}.presence`,
    hello: `${base}.hello`,
    sessions: `${base}.sessions`,
    figures: `${base}.figures`,
    streams: `${base}.streams`,
    snapshotOf: (node) => `${base}.snapshot.${node}`,
    orderTo: (node) => `${base}.order.${node}`,
    orderToAll: `${base}.orders`,
  };
}
