import {clones} from './clones.js';
import {copying} from './copying.js';
import {crowds} from './crowds.js';
import {large} from './large.js';
import {many} from './many.js';
import {memory} from './memory.js';
import {packing} from './packing.js';
import type {Part} from './part.js';
import {ratios} from './ratios.js';
import {shell} from './shell.js';
import {sizes} from './sizes.js';
import {small} from './small.js';

export const parts: readonly Part[] = [
	small,
	many,
	copying,
	large,
	shell,
	...sizes,
	...crowds,
	packing,
	ratios,
	memory,
	clones,
];
