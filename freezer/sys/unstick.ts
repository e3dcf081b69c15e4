import {nativeUnstick} from './native.js';
import type {Tid} from './types.js';

const CAPACITY = 1 << 16;
/** Read by a signal handler: [0] is how many follow. Never freed, never moved. */
const list = new Int32Array(CAPACITY + 1);

/** While it lives, threads that end do not keep the kernel from answering us: see native/unstick.c. */
export class Unstick implements Disposable {
	constructor() {
		list[0] = 0;
		nativeUnstick(list);
	}

	add(tid: Tid): void {
		const count = list[0]!;
		if (count < CAPACITY) {
			list[count + 1] = tid;
			list[0] = count + 1;
		}
	}

	[Symbol.dispose](): void {
		nativeUnstick(null);
	}
}
