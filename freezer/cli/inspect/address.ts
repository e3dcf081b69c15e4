/** Socket addresses (struct sockaddr_*) in words. */
import {printable} from './words.js';

const FAMILIES: Readonly<Record<number, string>> = {
	1: 'UNIX',
	2: 'IPv4',
	10: 'IPv6',
	16: 'netlink',
	17: 'packet',
	40: 'vsock',
};
const TYPES: Readonly<Record<number, string>> = {1: 'stream', 2: 'datagram', 3: 'raw', 5: 'seqpacket'};

const familyName = (family: number): string => FAMILIES[family] ?? `family ${family}`;

/** "TCP", "UDP", "UNIX stream", … @param type SOCK_* without flags */
export function socketName(domain: number, type: number): string {
	if (domain === 2 || domain === 10) {
		if (type === 1) return domain === 2 ? 'TCP' : 'TCP (IPv6)';
		if (type === 2) return domain === 2 ? 'UDP' : 'UDP (IPv6)';
	}
	if (domain === 16) return 'netlink';
	return `${familyName(domain)} ${TYPES[type] ?? `type ${type}`}`;
}

/** "127.0.0.1:80", "[::1]:80", a path, "@abstract"; "" when there is none. */
export function socketAddress(bytes: Uint8Array): string {
	if (bytes.length < 2) return '';
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	switch (view.getUint16(0, true)) {
		case 1:
			return unixAddress(bytes.subarray(2));
		case 2:
			return bytes.length < 8 ? '' : `${bytes.subarray(4, 8).join('.')}:${view.getUint16(2)}`;
		case 10:
			return bytes.length < 24 ? '' : `[${ipv6(view)}]:${view.getUint16(2)}`;
		case 16:
			return bytes.length < 8 ? '' : `port ${view.getUint32(4, true)}`;
		default:
			return '';
	}
}

function unixAddress(path: Uint8Array): string {
	if (path.length === 0) return '';
	if (path[0] === 0) return `@${printable(new TextDecoder().decode(path.subarray(1)))}`;
	const end = path.indexOf(0);
	return printable(new TextDecoder().decode(end < 0 ? path : path.subarray(0, end)));
}

/** RFC 5952: the longest run of zero groups is left out. */
function ipv6(view: DataView): string {
	const groups = Array.from({length: 8}, (_, i) => view.getUint16(8 + 2 * i));
	let best = {at: -1, length: 1};
	for (let at = 0; at < 8; at++) {
		let end = at;
		while (end < 8 && groups[end] === 0) end++;
		if (end - at > best.length) best = {at, length: end - at};
	}
	const text = (from: number, to: number): string =>
		groups
			.slice(from, to)
			.map((group) => group.toString(16))
			.join(':');
	return best.at < 0 ? text(0, 8) : `${text(0, best.at)}::${text(best.at + best.length, 8)}`;
}
