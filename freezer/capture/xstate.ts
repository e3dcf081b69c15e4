import type {RowOf} from '../../builder/format/schema.js';
import {cpuid} from '../sys/native.js';

/** The XSAVE area, standard format (Intel SDM 1, 13.4). */
const HEADER = 512;
const XSTATE_BV = HEADER;
const FIRST_COMPONENT = HEADER + 64;

let table: RowOf<'xcomp'>[] | undefined;

/** Layout of the components of this machine, CPUID leaf 0xD. */
export function xstateLayout(): readonly RowOf<'xcomp'>[] {
	if (table) {
		return table;
	}

	table = [];
	const [low, , , high] = cpuid(0xd, 0);
	const supported = BigInt(low >>> 0) | (BigInt(high >>> 0) << 32n);
	for (let id = 2; id < 63; id++) {
		if (supported & (1n << BigInt(id))) {
			const [size, offset, flags] = cpuid(0xd, id);
			table.push({id, offset: offset >>> 0, size: size >>> 0, flags: flags >>> 0});
		}
	}

	return table;
}

export const componentsInUse = (xstate: Buffer): bigint =>
	xstate.length >= FIRST_COMPONENT ? xstate.readBigUInt64LE(XSTATE_BV) : 3n;

/** Cuts off what lies behind the last component in use. */
export function trimXstate(xstate: Buffer): Buffer {
	const inUse = componentsInUse(xstate);
	let length = Math.min(FIRST_COMPONENT, xstate.length);
	for (const {id, offset, size} of xstateLayout()) {
		if (inUse & (1n << BigInt(id))) {
			length = Math.max(length, offset + size);
		}
	}

	return xstate.subarray(0, Math.min(length, xstate.length));
}

let components: Uint32Array | undefined;

/** Id, offset and size of each, one after the other. */
export const stateComponents = (): Uint32Array =>
	(components ??= Uint32Array.from(xstateLayout().flatMap(({id, offset, size}) => [id, offset, size])));
