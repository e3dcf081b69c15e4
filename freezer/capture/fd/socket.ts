import {readFileSync} from 'node:fs';
import {constants, NONE} from '../../../builder/format/schema.js';
import {eventsNow, POLLIN, POLLPRI} from '../../sys/descriptors.js';
import {type Credentials, getSocketOption} from '../../sys/sockets.js';
import type {CaptureContext} from '../context.js';
import {
	AF_INET,
	AF_INET6,
	AF_NETLINK,
	AF_PACKET,
	AF_UNIX,
	familyOf,
	hostOf,
	portOf,
	showAddress,
	unixName,
} from './address.js';
import {type External, externalEnd, hangup, outsideHolder} from './external.js';
import {Memberships} from './multicast.js';
import {renamedTo} from './socket-name.js';
import {SocketOptions} from './socket-options.js';
import {pathOf, senderPid} from './socket-unix.js';
import {isLocalSender, type Message, type SocketFacts, type Sockets} from './sockets.js';
import {append, type Carried, type Description, where, withPulled} from './types.js';

const {KIND, SOCKET, SOCKET_FLAG} = constants;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const IPPROTO_UDP = 17;
const NETLINK_LIST_MEMBERSHIPS = 9;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;

const familyNames: Readonly<Record<number, string>> = {
	[AF_INET]: 'TCP',
	[AF_INET6]: 'TCP',
	[AF_UNIX]: 'UNIX',
};

/** Makes rows of sockets whose facts are known. */
export class SocketCapture {
	readonly #options = new SocketOptions();
	#memberships: Memberships | undefined;

	constructor(
		readonly context: CaptureContext,
		readonly sockets: Sockets,
	) {}

	external(description: Description): External {
		const facts = this.sockets.facts(description);
		const name = familyNames[facts.domain] ?? 'socket';
		const {remote, local} = facts;
		return {
			kind: facts.domain === AF_UNIX ? 'unix' : 'tcp',
			told: `a ${name} connection to ${showAddress(remote.length > 2 ? remote : local)}`,
			holder: () => (facts.domain === AF_UNIX ? outsideHolder(this.context, `socket:[${facts.peerInode}]`) : ''),
			byDefault: 'hangup',
			domain: facts.domain,
			type: facts.type,
		};
	}

	/** Is something else put in its place by --fd? */
	#isReplaced(description: Description | undefined): boolean {
		return description?.holders.some(({fd}) => this.context.options.fdPolicy.has(fd)) ?? false;
	}

	capture(description: Description): Carried {
		const facts = this.sockets.facts(description);
		if (facts.state === 'pending' && this.#isReplaced(facts.listener)) {
			return externalEnd(this.context, description, this.external(description));
		}

		switch (facts.state) {
			case 'outside':
				return externalEnd(this.context, description, this.external(description));
			case 'dead':
				return hangup(this.context, description, {
					kind: 'tcp',
					told: 'a connection that had ended before the freeze',
					byDefault: 'hangup',
					domain: facts.domain,
					type: facts.type,
				});
			case 'unknown':
				this.context.refuse({
					...where(description),
					kind: 'socket',
					text: `a socket of family ${facts.domain}, type ${facts.type}: it cannot be built again`,
				});
				return hangup(this.context, description, {kind: 'socket', told: 'a socket', byDefault: 'refuse'});
			default:
				return {kind: KIND.SOCKET, row: this.#row(description, facts)};
		}
	}

	#row(description: Description, facts: SocketFacts): number {
		this.#tellLosses(description, facts);
		const {context} = this;
		const first_option = context.snapshot.socket_option.length;
		withPulled(description, (fd) => {
			for (const row of this.#options.read(fd, {...facts, connected: facts.state === 'connected'})) {
				append(context, 'socket_option', row);
			}

			if (facts.type === SOCK_DGRAM || facts.type === SOCK_RAW) {
				this.#memberships ??= new Memberships(description.holders[0]?.task.pid ?? process.pid);
				for (const row of this.#memberships.of(fd, facts.domain)) {
					append(context, 'socket_option', row);
				}
			}

			if (facts.domain === AF_NETLINK) {
				this.#netlinkGroups(getSocketOption(fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS));
			}
		});
		const option_count = context.snapshot.socket_option.length - first_option;
		const first_message = context.snapshot.socket_message.length;
		const messages = facts.messages.filter((message) => isLocalSender(facts, message));
		let offset = 0;
		for (const message of messages) {
			this.#message(description, facts, message, offset);
			offset += message.data.length;
		}

		const path = pathOf(description, facts);
		const name = path && !path.reachable ? unixName(facts.local) : undefined;
		const renamed = name && facts.pathInode !== undefined ? renamedTo(name, facts.pathInode) : undefined;
		const peer = this.#isReplaced(facts.peer) ? undefined : facts.peer;
		return append(context, 'socket', {
			domain: facts.domain,
			type: facts.type,
			protocol: facts.protocol,
			state: {
				listening: SOCKET.LISTENING,
				unconnected: SOCKET.UNCONNECTED,
				connected: peer ? SOCKET.CONNECTED : SOCKET.PAIR,
				pair: SOCKET.PAIR,
				pending: SOCKET.PENDING,
			}[facts.state as 'listening' | 'unconnected' | 'connected' | 'pair' | 'pending'],
			backlog: facts.backlog,
			peer: peer?.row ?? NONE,
			shutdown: facts.shutdown,
			first_option,
			option_count,
			first_message,
			message_count: messages.length,
			flags:
				(facts.reconnect ? SOCKET_FLAG.RECONNECT : 0) |
				(isEphemeral(facts) ? SOCKET_FLAG.EPHEMERAL : 0) |
				(path && !path.reachable && !renamed ? SOCKET_FLAG.UNLINKED : 0) |
				(facts.accepted ? SOCKET_FLAG.ACCEPTED : 0),
			path_mode: (renamed ?? path)?.mode ?? 0,
			listener: (this.#isReplaced(facts.listener) ? undefined : facts.listener)?.row ?? NONE,
			peer_pid: facts.credentials?.pid ?? 0,
			peer_uid: facts.credentials?.uid ?? 0,
			peer_gid: facts.credentials?.gid ?? 0,
			base: description.holders[0]?.task.row ?? 0,
			local: renamed?.local ?? (facts.bound ? facts.local : new Uint8Array()),
			remote: facts.remote,
			pending: rowsOf(facts.clients.filter((client) => !this.#isReplaced(client))),
		});
	}

	#message(description: Description, facts: SocketFacts, message: Message, offset: number): void {
		const {data, address, descriptions, credentials} = message;
		append(this.context, 'socket_message', {
			data,
			address,
			to: facts.state === 'unconnected' ? destination(facts.local, address) : new Uint8Array(),
			fds: rowsOf(descriptions),
			sender: (facts.state === 'unconnected' ? this.sockets.senderOf(facts, message)?.row : undefined) ?? NONE,
			pid: this.#senderPid(description, credentials, offset),
			uid: credentials?.uid ?? 0,
			gid: credentials?.gid ?? 0,
		});
	}

	/** Who the message says has sent it. */
	#senderPid(description: Description, credentials: Credentials | undefined, offset: number): number {
		const pid = credentials ? senderPid(this.context, description, credentials.pid, offset) : 0;
		if (credentials && pid === 0 && credentials.pid !== 0) {
			this.context.warn({
				...where(description),
				kind: 'socket-credentials',
				text: 'a message tells who has sent it, which cannot be looked at: after the resume it tells another process',
			});
		}

		return pid;
	}

	/** A bitmap of groups (net/netlink/af_netlink.c). */
	#netlinkGroups(groups: Buffer | undefined): void {
		for (let group = 1; groups && group <= groups.length * 8; group++) {
			if (groups[(group - 1) >> 3]! & (1 << ((group - 1) & 7))) {
				const value = Buffer.alloc(4);
				value.writeUInt32LE(group);
				append(this.context, 'socket_option', {
					level: SOL_NETLINK,
					name: NETLINK_ADD_MEMBERSHIP,
					when: 1,
					pad0: 0,
					value,
				});
			}
		}
	}

	#tellLosses(description: Description, facts: SocketFacts): void {
		const {context} = this;
		const warn = (text: string) => context.warn({...where(description), kind: 'socket-queue', text});
		const outside = facts.waiting - facts.clients.length;
		if (facts.state === 'listening' && outside > 0) {
			warn(
				`${outside} connections to ${showAddress(facts.local)} from outside were not accepted yet: after the resume they are gone`,
			);
		}

		const events = withPulled(description, (fd) => eventsNow(fd, POLLIN | POLLPRI));
		const foreign = facts.messages.filter((message) => !isLocalSender(facts, message)).length;
		if (foreign > 0 || (facts.state === 'unconnected' && !carriesQueue(facts) && (events & POLLIN) !== 0)) {
			warn(`messages to ${showAddress(facts.local)} that were not read yet: after the resume they are gone`);
		}

		const urgent = facts.type === SOCK_STREAM && (events & POLLPRI) !== 0 ? 'a byte out of band' : undefined;
		for (const lost of [facts.lost, urgent]) {
			if (lost !== undefined) {
				context.refuse({
					...where(description),
					kind: 'socket-queue',
					text: `a ${familyNames[facts.domain] ?? ''} socket with ${showAddress(facts.local)} and ${lost}: nobody can look at that`,
					hint: 'Freeze it once more when that has been read; what a full TCP connection holds is shown to root.',
				});
			}
		}

		if (facts.domain === AF_PACKET || facts.type === SOCK_RAW) {
			if (facts.domain !== AF_NETLINK) {
				this.context.warn({
					...where(description),
					kind: 'raw-socket',
					text: 'a raw socket: it can be resumed by root only',
				});
			}
		}
	}
}

function rowsOf(descriptions: readonly Description[]): Buffer {
	const rows = Buffer.alloc(descriptions.length * 4);
	for (const [i, {row}] of descriptions.entries()) {
		rows.writeUInt32LE(row, i * 4);
	}

	return rows;
}

/** A socket that is bound to no host of its own is reached at the host of the sender, which is of this machine, too. */
function destination(local: Buffer, sender: Buffer): Buffer {
	const host = familyOf(local) === AF_UNIX ? Buffer.alloc(0) : hostOf(local);
	const to = Buffer.from(local);
	if (host.length > 0 && host.every((byte) => byte === 0)) {
		to.set(hostOf(sender), host.length === 4 ? 4 : 8);
	}

	return to;
}

const carriesQueue = ({domain, protocol, type}: SocketFacts): boolean =>
	domain === AF_UNIX || type === SOCK_STREAM || protocol === IPPROTO_UDP;

/** The port was the kernel's choice as far as anybody can tell: a connected socket with a port of the range it chooses from. */
function isEphemeral({domain, local, remote, reconnect}: SocketFacts): boolean {
	if (!reconnect || remote.length === 0 || (domain !== AF_INET && domain !== AF_INET6)) {
		return false;
	}

	const [low = 32_768, high = 60_999] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
		.trim()
		.split(/\s+/)
		.map(Number);
	const port = portOf(local);
	return port >= low && port <= high;
}
