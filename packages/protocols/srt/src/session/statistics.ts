/** Counters of a connection since it began, by the names that libsrt's users know. */
export interface SrtStatistics {
  readonly pktSent: number;
  readonly pktRecv: number;
  readonly pktSndLoss: number;
  readonly pktRcvLoss: number;
  readonly pktRetrans: number;
  readonly pktRcvRetrans: number;
  readonly pktSndDrop: number;
  readonly pktRcvDrop: number;
  readonly pktRcvBelated: number;
  readonly pktRcvUndecrypt: number;
  /** Repair packets of the packet filter, and what they brought back. */
  readonly pktSndFilterExtra: number;
  readonly pktRcvFilterExtra: number;
  readonly pktRcvFilterSupply: number;
  readonly byteSent: number;
  readonly byteRecv: number;
  readonly msRTT: number;
  readonly msRcvBuf: number;
  readonly msSndBuf: number;
  readonly mbpsSendRate: number;
  readonly mbpsRecvRate: number;
}
