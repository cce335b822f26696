/**
 * What one stream costs, in cores: from `npm run bench -- cluster` and the other benches. It is messages rather than bytes
 * that cost.
 */
export interface TreeCosts {
  /** An origin, to pack it and give it to NATS once. */
  readonly origin: number;
  /** A NATS server, to take it in, and to give it to one edge, or to another region. */
  readonly natsIn: number;
  readonly natsOut: number;
  /** An edge, to take it and publish it there. */
  readonly edge: number;
  /** An edge, to give it to a viewer. */
  readonly viewer: number;
}

/** How viewers find their edge. */
export type Placement =
  /** Any of the region, as an even load balancer does. */
  | 'anywhere'
  /** Those of one stream on as few as they need: by a hash of the path. */
  | 'by-stream';

export interface TreeOptions {
  readonly viewers: number;
  readonly streams: number;
  /** The stream of rank r has a share of r to the power of minus this. */
  readonly skew: number;
  /** In each of which there is a NATS cluster; origins are in the first. */
  readonly regions: number;
  /** Of a stream. */
  readonly mbps: number;
  /** That one edge gives to viewers. */
  readonly edgeMbps: number;
  /** That one NATS server gives to edges. */
  readonly natsMbps: number;
  readonly placement: Placement;
  readonly costs: TreeCosts;
  /** 0 to 1. */
  readonly random: () => number;
}

/** What the tree carries, all together. CPU in cores. */
export interface TreeLoad {
  readonly edges: number;
  readonly natsServers: number;
  /** Of streams on edges: each is one subscription. */
  readonly subscriptions: number;
  readonly mostStreamsOnAnEdge: number;
  readonly originMbps: number;
  /** From the first region to all others. */
  readonly betweenRegionsMbps: number;
  readonly natsOutMbps: number;
  readonly viewersMbps: number;
  readonly originCores: number;
  readonly natsCores: number;
  readonly edgeCores: number;
  /** Of an edge that is as full as it may be. */
  readonly coresOfAnEdge: number;
}

interface Edge {
  readonly streams: Set<number>;
  viewers: number;
}

/**
 * Sets each viewer on an edge, and follows the bytes back: an edge takes each stream that it has viewers of once, a region
 * each that one of its edges takes, and an origin gives each that anybody takes.
 */
export function simulateTree(options: TreeOptions): TreeLoad {
  const { viewers, streams, regions, mbps, edgeMbps, natsMbps, placement, costs, random } = options;
  const perEdge = Math.floor(edgeMbps / mbps);
  const edgesOfARegion = Math.ceil(viewers / regions / perEdge) + 1;
  const pick = chooser(streams, options.skew);
  const edges = Array.from({ length: regions }, () =>
    Array.from({ length: edgesOfARegion }, (): Edge => ({ streams: new Set(), viewers: 0 })),
  );
  for (let viewer = 0; viewer < viewers; viewer++) {
    const stream = pick(random());
    const region = edges[viewer % regions] ?? [];
    // A full edge hands on to its neighbour, as one does that redirects.
    let at = placement === 'anywhere' ? Math.floor(random() * region.length) : hashOf(stream) % region.length;
    while ((region[at]?.viewers ?? 0) >= perEdge) at = (at + 1) % region.length;
    const edge = region[at];
    if (edge === undefined) break;
    edge.viewers += 1;
    edge.streams.add(stream);
  }
  const wanted = edges.map((region) => new Set(region.flatMap((edge) => [...edge.streams])));
  const all = new Set(wanted.flatMap((each) => [...each]));
  const subscriptions = edges.flat().reduce((sum, edge) => sum + edge.streams.size, 0);
  const [originMbps, natsOutMbps, viewersMbps] = [all.size * mbps, subscriptions * mbps, viewers * mbps];
  const between = wanted.slice(1).reduce((sum, each) => sum + each.size, 0);
  const mostStreamsOnAnEdge = Math.max(...edges.flat().map((edge) => edge.streams.size));
  return {
    edges: edges.flat().length,
    natsServers: regions * Math.max(3, Math.ceil(natsOutMbps / regions / natsMbps)),
    subscriptions,
    mostStreamsOnAnEdge,
    originMbps,
    betweenRegionsMbps: between * mbps,
    natsOutMbps,
    viewersMbps,
    originCores: all.size * costs.origin,
    natsCores: (all.size + between) * costs.natsIn + (subscriptions + between) * costs.natsOut,
    edgeCores: subscriptions * costs.edge + viewers * costs.viewer,
    coresOfAnEdge: mostStreamsOnAnEdge * costs.edge + perEdge * costs.viewer,
  };
}

/** Ranks by their shares. */
function chooser(count: number, skew: number): (at: number) => number {
  const upTo: number[] = [];
  let sum = 0;
  for (let rank = 1; rank <= count; rank++) {
    sum += rank ** -skew;
    upTo.push(sum);
  }
  return (at) => {
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((upTo[middle] ?? 0) < at * sum) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** Knuth's multiplicative hash. */
const hashOf = (stream: number): number => Math.imul(stream + 1, 0x9e3779b1) >>> 0;
