import type { NatsConnection } from '@nats-io/transport-node';

/** Tells all who listen. Where the connection is just ending nobody hears it; all is told anew when it is back. */
export function tell(connection: NatsConnection, subject: string, message: unknown): void {
  if (connection.isClosed() || connection.isDraining()) return;
  connection.publish(subject, JSON.stringify(message));
}
