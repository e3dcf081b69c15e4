import {decodeText} from '../../../builder/text.js';

/** Socket addresses (struct sockaddr_*), for comparison and for people. */

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;

export const familyOf = (address: Uint8Array): number => (address.length < 2 ? 0 : address[0]! | (address[1]! << 8));

/** Port of an IP address; 0 when unbound. */
export const portOf = (address: Uint8Array): number =>
	address.length >= 4 && [AF_INET, AF_INET6].includes(familyOf(address)) ? (address[2]! << 8) | address[3]! : 0;

/** Path or "@name" of a UNIX address; undefined when it has no name. */
export function unixName(address: Uint8Array): string | undefined {
	if (familyOf(address) !== AF_UNIX || address.length <= 2) {
		return undefined;
	}

	if (address[2] === 0) {
		return `@${decodeText(address.subarray(3))}`;
	}

	const end = address.indexOf(0, 2);
	return decodeText(address.subarray(2, end < 0 ? address.length : end));
}

/** The host part of an IP address. */
export const hostOf = (address: Uint8Array): Buffer =>
	Buffer.from(familyOf(address) === AF_INET ? address.subarray(4, 8) : address.subarray(8, 24));

/** The host part when it is one of IPv4, as such or mapped into IPv6. */
export function mappedToFour(address: Uint8Array): Buffer | undefined {
	const host = hostOf(address);
	if (familyOf(address) === AF_INET) {
		return host;
	}

	return host.length === 16 && host.subarray(0, 12).toString('hex') === '00000000000000000000ffff'
		? host.subarray(12)
		: undefined;
}

export function isLoopback(address: Uint8Array): boolean {
	const host = hostOf(address);
	const four = mappedToFour(address);
	return four
		? four[0] === 127
		: host.length === 16 && host.subarray(0, 15).every((byte) => byte === 0) && host[15] === 1;
}

/** Port and host part alone, IPv4-mapped IPv6 as IPv4, so that both ends of one connection compare equal. */
export const endpoint = (address: Uint8Array): string =>
	`${(mappedToFour(address) ?? hostOf(address)).toString('hex')}:${portOf(address)}`;

export function showAddress(address: Uint8Array): string {
	switch (familyOf(address)) {
		case AF_INET:
			return `${address.subarray(4, 8).join('.')}:${portOf(address)}`;
		case AF_INET6:
			return `[${showSix(address.subarray(8, 24))}]:${portOf(address)}`;
		case AF_UNIX:
			return unixName(address) ?? 'an unnamed socket';
		default:
			return 'somewhere';
	}
}

function showSix(host: Uint8Array): string {
	const groups = Array.from({length: 8}, (_, i) => ((host[i * 2]! << 8) | host[i * 2 + 1]!).toString(16));
	const text = groups.join(':');
	const longest = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length)[0];
	if (!longest) {
		return text;
	}

	const before = text.slice(0, longest.index);
	return `${before}::${text.slice(longest.index + longest[0].length).replace(/^:/, '')}`;
}
