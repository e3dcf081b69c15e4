import {readFileSync, statSync} from 'node:fs';
import {resolve} from 'node:path';
import {constants, NONE} from '../../../builder/format/schema.js';
import {decodeText, encodeText} from '../../../builder/text.js';
import {bytesWaiting} from '../../sys/descriptors.js';
import {tryReadLink} from '../../sys/procfs.js';
import {getSocketOption} from '../../sys/sockets.js';
import type {CaptureContext} from '../context.js';
import {AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX, portOf, showAddress, unixName} from './address.js';
import {type External, externalEnd, hangup, outsideHolder} from './external.js';
import {Memberships} from './multicast.js';
import {renamedTo} from './socket-name.js';
import {SocketOptions} from './socket-options.js';
import type {SocketFacts, Sockets} from './sockets.js';
import {append, type Carried, type Description, where, withPulled} from './types.js';

const {KIND, SOCKET, SOCKET_FLAG} = constants;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
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

	capture(description: Description): Carried {
		const facts = this.sockets.facts(description);
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
		for (const {data, address, descriptions} of facts.messages) {
			const fds = Buffer.alloc(descriptions.length * 4);
			for (const [i, {row}] of descriptions.entries()) fds.writeUInt32LE(row, i * 4);
			append(context, 'socket_message', {data, address, fds});
		}

		const path = pathOf(description, facts);
		const name = path && !path.reachable ? unixName(facts.local) : undefined;
		const renamed = name && facts.pathInode !== undefined ? renamedTo(name, facts.pathInode) : undefined;
		return append(context, 'socket', {
			domain: facts.domain,
			type: facts.type,
			protocol: facts.protocol,
			state: {
				listening: SOCKET.LISTENING,
				unconnected: SOCKET.UNCONNECTED,
				connected: SOCKET.CONNECTED,
				pair: SOCKET.PAIR,
			}[facts.state as 'listening' | 'unconnected' | 'connected' | 'pair'],
			backlog: facts.backlog,
			peer: facts.peer?.row ?? NONE,
			shutdown: facts.shutdown,
			first_option,
			option_count,
			first_message,
			message_count: facts.messages.length,
			flags:
				(facts.reconnect ? SOCKET_FLAG.RECONNECT : 0) |
				(isEphemeral(facts) ? SOCKET_FLAG.EPHEMERAL : 0) |
				(path && !path.reachable && !renamed ? SOCKET_FLAG.UNLINKED : 0),
			path_mode: (renamed ?? path)?.mode ?? 0,
			pad0: 0,
			local: renamed?.local ?? (facts.bound ? facts.local : new Uint8Array()),
			remote: facts.remote,
		});
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
		const lost = (text: string) => this.context.warn({...where(description), kind: 'socket-queue', text});
		if (facts.state === 'listening' && facts.waiting > 0) {
			lost(
				`${facts.waiting} connections to ${showAddress(facts.local)} were not accepted yet: after the resume they are gone`,
			);
		} else if (facts.domain !== AF_UNIX && facts.state === 'unconnected' && facts.type !== SOCK_STREAM) {
			const waiting = withPulled(description, bytesWaiting);
			if (waiting > 0) {
				lost(`messages to ${showAddress(facts.local)} that were not read yet: after the resume they are gone`);
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

		const name = facts.state === 'pair' ? unixName(facts.local) : undefined;
		if (name !== undefined) {
			this.context.warn({
				...where(description),
				kind: 'socket-name',
				text: `a UNIX connection within the target: after the resume getsockname does not tell ${name} any more`,
			});
		}

		if (facts.lostMessages) {
			lost('messages that cannot be duplicated: after the resume they are gone');
		}
	}
}

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

/** Does the path of a UNIX socket still lead to it, and how is it protected? */
function pathOf(
	{holders}: Description,
	{domain, local, pathInode}: SocketFacts,
): {reachable: boolean; mode: number} | undefined {
	const name = domain === AF_UNIX ? unixName(local) : undefined;
	if (name === undefined || name.startsWith('@')) {
		return undefined;
	}

	const cwd = holders[0] && tryReadLink(`/proc/${holders[0].task.pid}/cwd`);
	try {
		const stat = statSync(Buffer.from(encodeText(cwd ? resolve(decodeText(cwd), name) : name)));
		return {reachable: pathInode === undefined || stat.ino === pathInode, mode: stat.mode & 0o7777};
	} catch {
		return {reachable: false, mode: 0};
	}
}
