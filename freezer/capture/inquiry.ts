import {LISTED_CALL, LISTED_RESULT} from '../sys/landing.js';
import {nr} from '../sys/nr.js';
import {wordsOf} from '../sys/registers.js';
import {addr, type RemoteAddr} from '../sys/types.js';
import type {Call} from './context.js';

/** Something that only the target can tell, by calls that do not depend on each other. */
export interface Question {
	/** Bytes for what the calls write; zeros before. */
	readonly room: number;
	/** `at` is the room in the target. */
	calls(at: RemoteAddr): readonly Call[];
	/** Results are those of the calls, or -errno. */
	take(results: readonly bigint[], answers: Buffer): void;
}

const SIG_SETMASK = 2;
const MASK = 8;
const ALIGNED = 8;

const sizeOf = ({room}: Question, calls: number): number => room + ALIGNED + calls * LISTED_CALL;

/**
 * Questions that a thread answers in one go: a list of calls for the loop of the landing (landing.ts), which stands in the target at
 * `base`. Its last call lets `signal` in, by which the thread stops.
 */
export class Inquiry {
	/** To be written at `base`; after the last call, read from there. */
	readonly bytes: Buffer;
	/** Of the first call. */
	readonly list: RemoteAddr;
	readonly count: number;
	readonly #parts: {question: Question; answers: number; first: number; calls: number}[] = [];
	readonly #listAt: number;

	constructor(questions: readonly Question[], base: RemoteAddr, signal: number) {
		const calls: Call[] = [];
		let at = MASK;
		for (const question of questions) {
			const own = question.calls(addr(base + BigInt(at)));
			this.#parts.push({question, answers: at, first: calls.length, calls: own.length});
			calls.push(...own);
			at += Math.ceil(question.room / ALIGNED) * ALIGNED;
		}

		calls.push([nr.rt_sigprocmask, SIG_SETMASK, base, 0, 8]);
		this.count = calls.length;
		this.#listAt = at;
		this.list = addr(base + BigInt(at));
		this.bytes = Buffer.alloc(at + calls.length * LISTED_CALL);
		this.bytes.writeBigUInt64LE(BigInt.asUintN(64, ~(1n << BigInt(signal - 1))), 0);
		const words = wordsOf(this.bytes.subarray(at));
		for (const [i, call] of calls.entries()) {
			for (const [k, value] of call.entries()) {
				words.setBigInt64(i * LISTED_CALL + k * 8, BigInt(value), true);
			}
		}
	}

	/** Hands out what stands at `base` after the last call, or what another thread has answered to the same question. */
	take(bytes: Buffer, other?: Question): void {
		const words = wordsOf(bytes);
		for (const {question, answers, first, calls} of this.#parts) {
			const results: bigint[] = [];
			for (let call = first; call < first + calls; call++) {
				results.push(words.getBigInt64(this.#listAt + call * LISTED_CALL + LISTED_RESULT, true));
			}

			(other ?? question).take(results, bytes.subarray(answers, answers + question.room));
		}
	}
}

/** As few groups as fit into `room` bytes each. */
export function grouped(questions: readonly Question[], room: number): Question[][] {
	const groups: Question[][] = [];
	let left = 0;
	for (const question of questions) {
		const size = sizeOf(question, question.calls(addr(0n)).length);
		if (size > left) {
			groups.push([]);
			left = room - MASK - LISTED_CALL;
		}

		groups.at(-1)!.push(question);
		left -= size;
	}

	return groups;
}
