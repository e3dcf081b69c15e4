/** Pause and thaw against threads and processes, every tool side by side. */
import {measurePauses, measureThaws} from './measure.js';
import type {Context, Part} from './part.js';

const COUNTS = [1, 10, 100, 1000];

/** A codec makes no difference here. */
const chosen = async (context: Context) => (await context.tools()).filter(({name}) => name !== 'frore zstd:1');

const part = (kind: 'threads' | 'processes'): Part => ({
	name: kind,
	about: `pause and thaw of every tool, 1 to 1,000 ${kind}`,
	async run(context) {
		const tools = await chosen(context);
		// gcore takes a process, not a tree.
		const stopping = tools.filter(({name, pause}) => pause && (kind === 'threads' || name !== 'gcore'));
		const resuming = tools.filter(({freeze}) => freeze);
		for (const x of COUNTS) {
			const words = [`${kind}=${x}`];
			await measurePauses(context, stopping, {chart: `pause-${kind}`, x, words});
			await measureThaws(context, resuming, {chart: `thaw-${kind}`, x, words});
		}
	},
});

export const crowds: Part[] = [part('threads'), part('processes')];
