/** The few bytes of grpc.health.v1 that a probe and its server exchange: messages of one field each. */

const LENGTH_DELIMITED = 0x0a;
const VARINT = 0x08;

/** gRPC's length-prefixed message, not compressed. */
export function grpcFrame(message: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

/** HealthCheckRequest{service}. Names are shorter than 128 bytes: longer ones are no service names. */
export function healthRequest(service: string): Buffer {
  const name = Buffer.from(service);
  return name.length === 0 ? name : Buffer.concat([Buffer.from([LENGTH_DELIMITED, name.length]), name]);
}

export const healthResponse = (status: number): Buffer => Buffer.from([VARINT, status]);

/** The service of a framed HealthCheckRequest. */
export const readServiceName = (framed: Buffer): string => {
  const message = framed.subarray(5);
  return message[0] === LENGTH_DELIMITED ? message.subarray(2, 2 + (message[1] ?? 0)).toString('utf8') : '';
};

/** The status of a framed HealthCheckResponse; 0 is UNKNOWN, 1 SERVING, 2 NOT_SERVING. */
export const readHealthStatus = (framed: Buffer): number => (framed[5] === VARINT ? (framed[6] ?? 0) : 0);
