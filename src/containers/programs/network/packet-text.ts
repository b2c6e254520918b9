import type { decode as decodePacket } from 'dns-packet';
import type { CapturedPacket, IcmpMessage, TcpSegment } from '../../network/captured-packet.js';
import { dnsText } from './dns-packet-text.js';
import { portText } from './ports.js';

export interface PacketTextOptions {
  readonly numeric: boolean;
  readonly quick: boolean;
  /** -S: as they are, and not from the beginning of the connection. */
  readonly absolute: boolean;
}

const FLAGS: Readonly<Record<TcpSegment['flags'], string>> = {
  syn: 'S',
  synack: 'S.',
  ack: '.',
  psh: 'P.',
  fin: 'F.',
  rst: 'R',
};
const SPACE = 0x1_0000_0000;
/** Connections whose first numbers are remembered. */
const MAX_CONNECTIONS = 4096;
const HTTP_PORTS: readonly number[] = [80, 3128, 8080];
const HTTP = /^(?:[A-Z]{3,10} \S{1,1024} HTTP\/1\.[01]|HTTP\/1\.[01] \d{3}[^\r\n]{0,200})/;

/** Lines as tcpdump(8) prints them for packets, one after the other: it remembers where connections began. */
export class PacketPrinter {
  /** Of each direction: the number that its first packet had. */
  private readonly bases = new Map<string, number>();

  constructor(
    private readonly options: PacketTextOptions,
    private readonly decodeDns: typeof decodePacket,
  ) {}

  /** Without the time. */
  text(packet: CapturedPacket): string {
    const { protocol, src, srcPort, dst, dstPort, payload } = packet;
    const ip = src.includes(':') ? 'IP6' : 'IP';
    if (packet.icmp !== undefined)
      return `${ip} ${src} > ${dst}: ${icmpText(packet.icmp, ip === 'IP6', payload.length)}`;
    const end = (address: string, port: number): string => `${address}.${portText(port, this.options.numeric)}`;
    const head = `${ip} ${end(src, srcPort)} > ${end(dst, dstPort)}: `;
    if (packet.tcp !== undefined) {
      if (this.options.quick) return `${head}tcp ${payload.length}`;
      return head + this.tcpText(packet, packet.tcp);
    }
    if (protocol === 'udp' && (srcPort === 53 || dstPort === 53)) {
      const dns = this.options.quick ? undefined : dnsText(payload, this.decodeDns);
      if (dns !== undefined) return head + dns;
    }
    return `${head}${protocol.toUpperCase()}, length ${payload.length}`;
  }

  private tcpText(packet: CapturedPacket, tcp: TcpSegment): string {
    const { payload, srcPort, dstPort } = packet;
    const mine = `${packet.link} ${packet.src} ${packet.srcPort} ${packet.dst} ${packet.dstPort}`;
    const theirs = `${packet.link} ${packet.dst} ${packet.dstPort} ${packet.src} ${packet.srcPort}`;
    const begins = tcp.flags === 'syn' || tcp.flags === 'synack';
    const known = begins ? undefined : this.bases.get(mine);
    if (begins || known === undefined) this.remember(mine, tcp.seq);
    const relative = (value: number, base: number | undefined): number =>
      this.options.absolute || base === undefined ? value : (value - base + SPACE) % SPACE;
    const seq = relative(tcp.seq, known);
    const isShown = begins || tcp.flags === 'fin' || tcp.flags === 'rst' || payload.length > 0;
    const range = payload.length > 0 ? `${seq}:${(seq + payload.length) % SPACE}` : String(seq);
    const refused = tcp.flags === 'rst' && tcp.acks;
    // The first of a direction has nothing yet that it could be counted from.
    const ack = tcp.acks ? `, ack ${known === undefined ? tcp.ack : relative(tcp.ack, this.bases.get(theirs))}` : '';
    const stamps = `TS val ${tcp.stamp} ecr ${tcp.echo}`;
    const options =
      tcp.flags === 'rst'
        ? ''
        : begins
          ? `, options [mss 1460,sackOK,${stamps},nop,wscale 7]`
          : `, options [nop,nop,${stamps}]`;
    const http = HTTP_PORTS.includes(srcPort) || HTTP_PORTS.includes(dstPort) ? httpText(payload) : '';
    const flags = refused ? 'R.' : FLAGS[tcp.flags];
    return `Flags [${flags}]${isShown ? `, seq ${range}` : ''}${ack}, win ${tcp.window}${options}, length ${payload.length}${http}`;
  }

  private remember(key: string, seq: number): void {
    this.bases.set(key, seq);
    for (const oldest of this.bases.keys()) {
      if (this.bases.size <= MAX_CONNECTIONS) break;
      this.bases.delete(oldest);
    }
  }
}

function httpText(payload: Buffer): string {
  if (payload.length === 0) return '';
  const found = HTTP.exec(payload.toString('latin1', 0, 1280))?.[0];
  return found === undefined ? ': HTTP' : `: HTTP: ${found.replace(/[^\x20-\x7e]/g, '.')}`;
}

function icmpText(message: IcmpMessage, v6: boolean, length: number): string {
  const name = v6 ? 'ICMP6,' : 'ICMP';
  switch (message.kind) {
    case 'echo-request':
      return `${name} echo request, id ${message.id}, seq ${message.seq}, length ${length}`;
    case 'echo-reply':
      return `${name} echo reply, id ${message.id}, seq ${message.seq}, length ${length}`;
    case 'time-exceeded':
      return `${name} time exceeded in-transit, length ${length}`;
    case 'unreachable': {
      const { dst, protocol, dstPort } = message.of;
      const port = `${dst} ${protocol} port ${dstPort} unreachable`;
      if (v6) {
        const what =
          message.what === 'port' ? `unreachable port, ${dst} ${protocol} port ${dstPort}` : `unreachable route ${dst}`;
        return `${name} destination unreachable, ${what}, length ${length}`;
      }
      switch (message.what) {
        case 'port':
          return `${name} ${port}, length ${length}`;
        case 'host':
          return `${name} host ${dst} unreachable, length ${length}`;
        case 'net':
          return `${name} net ${dst} unreachable, length ${length}`;
        case 'admin':
          return `${name} host ${dst} unreachable - admin prohibited, length ${length}`;
        default:
          return message.what satisfies never;
      }
    }
    default:
      return message satisfies never;
  }
}
