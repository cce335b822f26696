import { ServerProcess } from './server-process.js';

/** A node of a cluster, on an address of its own. */
export interface ClusterNode {
  readonly name: string;
  readonly process: ServerProcess;
  /** Where its ports are, without the port. */
  readonly address: string;
  readonly rtmp: string;
  readonly http: string;
  readonly api: string;
}

/**
 * A server process as a node.
 *
 * @param number of its loopback address: 2 for 127.0.0.2
 * @param nats its NATS server
 * @param directory where its data are, and stay; else one that goes with it
 */
export async function startNode(
  number: number,
  nats: string,
  environment: Record<string, string> = {},
  directory?: string,
): Promise<ClusterNode> {
  const [name, address] = [`node-${number}`, `127.0.0.${number}`];
  const hosts = ['RTMP', 'HTTP', 'SRT', 'WEBRTC', 'API'].map((door) => [`SLUICE_${door}_HOST`, address]);
  const process = await ServerProcess.start(
    {
      ...Object.fromEntries(hosts),
      SLUICE_CLUSTER_NATS_SERVERS: nats,
      SLUICE_CLUSTER_NODE: name,
      SLUICE_CLUSTER_LEASE_SECONDS: '3',
      SLUICE_WEBRTC_ANNOUNCE: address,
      ...environment,
    },
    directory,
  );
  const { rtmp, http, api } = process.ports;
  return {
    ...{ name, process, address },
    rtmp: `rtmp://${address}:${rtmp}`,
    http: `http://${address}:${http}`,
    api: `http://${address}:${api}`,
  };
}
