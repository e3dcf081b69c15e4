/** Item 2 of the issue: registers, memory, signals and what belongs to the process as a whole. */
import {roundTrip} from '../helpers/roundtrip.js';
import {asRoot, asUsers, dropsMemory, type Unfit} from '../helpers/users.js';

const table: Record<string, Record<string, string>> = {
	registers: {
		general: 'the general registers, the flags and the base of gs',
		sse: 'the SSE registers and MXCSR',
		x87: 'the x87 stack and control word',
		avx: 'the AVX registers',
		avx512: 'the AVX-512 registers and masks',
		amx: 'the AMX tiles',
	},
	memory: {
		anonymous: 'anonymous memory, and that it goes on behaving as such',
		protection: 'the protection of every mapping, and guard pages',
		guards: 'guard pages inside of ordinary memory',
		shared: 'shared anonymous memory, mapped twice',
		'private-file': 'private mappings of a file, modified and not',
		'shared-file': 'a shared mapping of a file',
		'deleted-file': 'mappings of a deleted file',
		memfd: 'mappings of a memfd that is closed',
		brk: 'the heap, which grows and shrinks',
		stack: 'stacks that grow',
		advice: 'memory advice and locked memory',
		named: 'named memory',
		pkeys: 'protection keys',
		sealed: 'sealed memory',
		neighbours: 'mappings that were cut in pieces',
		low: 'mappings at unusual addresses',
		vdso: 'the clock through the vdso',
	},
	signals: {
		dispositions: 'signal handlers with flags and masks',
		pending: 'pending signals with their values, for the process and for threads',
		altstack: 'an alternate signal stack',
		'in-handler': 'a handler that is running goes on and returns',
		itimers: 'interval timers',
		alarm: 'an alarm comes when the rest of its time has passed',
		'posix-timers': 'POSIX timers',
	},
	attributes: {
		cwd: 'working directory and umask',
		limits: 'resource limits',
		sched: 'nice, policy, affinity, I/O priority and timer slack, per thread',
		proc: 'oom_score_adj and coredump_filter',
		personality: 'the personality',
		names: 'name and command line',
		environment: 'the environment',
		auxv: 'the auxiliary vector',
		exe: 'the exe link',
		flags: 'no_new_privs, pdeathsig, keepcaps, THP_DISABLE and their like',
		mdwe: 'MDWE',
		membarrier: 'membarrier registrations',
		ids: 'user, group and capabilities',
		'real-time': 'a real-time policy',
	},
};

const unfit: Record<string, Unfit> = {'memory anonymous': dropsMemory};

for (const [target, cases] of Object.entries(table)) {
	for (const [name, title] of Object.entries(cases)) {
		asUsers(
			title,
			async (t, stage) => {
				await roundTrip(t, stage, [stage.target(target), name]);
			},
			unfit[`${target} ${name}`],
		);
	}
}

asRoot('a process that is not dumpable stays so', async (t, stage) => {
	await roundTrip(t, stage, [stage.target('attributes'), 'undumpable']);
});

asUsers('parent, process group and session are those the program knew', async (t, stage) => {
	await roundTrip(t, stage, ['setsid', stage.target('attributes'), 'family'], {halt: true});
});
