import {nativeUnstick} from './native.js';

const CAPACITY = 1 << 16;
/** Read by a signal handler, and filled by seizeAll: [0] is how many follow. Never freed, never moved. */
const list = new Int32Array(CAPACITY + 1);

/** While it lives, threads that end do not keep the kernel from answering us: see native/unstick.c. */
export class Unstick implements Disposable {
	constructor() {
		list[0] = 0;
		nativeUnstick(list, CAPACITY);
	}

	[Symbol.dispose](): void {
		nativeUnstick(null, 0);
	}
}
