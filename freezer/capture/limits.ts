import type {RowOf} from '../../builder/format/schema.js';
import {parseLimits} from './parse/limits.js';
import type {ProcFiles} from './proc-files.js';

export const captureLimits = (task: number, files: ProcFiles): RowOf<'rlimit'>[] =>
	parseLimits(files.text('limits')).map((limit) => ({...limit, task}));
