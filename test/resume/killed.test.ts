/** A process of the tree is killed while the tree is being resumed: all of it comes back, or nothing. */
import {readFileSync} from 'node:fs';
import {ready} from '../helpers/roundtrip.js';
import {below} from '../helpers/terminal.js';
import {asUsers} from '../helpers/users.js';

/** Pids of those that are on their way to become `inner`, as we see them. */
function becoming(launcher: number, inner: ReadonlySet<number>): number[] {
	return below(launcher).filter((pid) => {
		try {
			const ids = /^NSpid:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]!;
			return inner.has(Number(ids.split('\t').at(-1)));
		} catch {
			return false;
		}
	});
}

function kill(pid: number): void {
	try {
		process.kill(pid, 'SIGKILL');
	} catch {
		// It was quicker.
	}
}

asUsers('a child that is killed during the resume ends it with 125 and one line', async (t, stage) => {
	const original = await stage.start([stage.target('relatives'), 'big']);
	await ready(original);
	const children = below(original.pid);
	const {file} = await stage.freeze(original.pid, {halt: true});
	await original.end();
	let given = 0;
	let round = 0;
	for (; round < 20 && (round < 4 || given < 2); round++) {
		const copy = await stage.thaw(file);
		let found: number[] = [];
		while (found.length === 0 && copy.code === undefined) {
			found = becoming(copy.pid, new Set([children[round % 2]!]));
			await new Promise((resolve) => setTimeout(resolve, 1));
		}
		await new Promise((resolve) => setTimeout(resolve, (round % 5) * 8));
		kill(found[0]!);
		const started = Date.now();
		while (
			copy.code === undefined &&
			!copy.lines.some((line) => /^beat /.test(line)) &&
			Date.now() - started < 15_000
		) {
			await new Promise((resolve) => setTimeout(resolve, 5));
		}
		if (copy.code === undefined) {
			// It was complete by then, so this is the program's own matter.
			t.true(
				copy.lines.some((line) => /^beat /.test(line)),
				`round ${round}: it neither runs nor ends`,
			);
			for (const pid of becoming(copy.pid, new Set([original.pid]))) kill(pid);
			await copy.end();
		} else {
			given++;
			t.is(copy.code, 125, copy.output);
			t.regex(copy.output.trim(), /^frore: cannot resume: process \d+ was killed \(SIGKILL\) before it was complete$/);
		}
		const left = () => stage.processes();
		for (let tries = 0; left().length > 0 && tries < 100; tries++) {
			if (copy.code !== 125) for (const pid of left()) kill(pid);
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
		t.deepEqual(left(), [], `round ${round}: what is left`);
	}
	t.true(given > 0, 'none was killed in time');
	t.log(`${given} of ${round} resumes were given up`);
});
