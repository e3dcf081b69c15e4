import test from 'ava';
import {judge} from '../../../freezer/cli/doctor/examine.js';
import type {Host} from '../../../freezer/cli/doctor/host.js';
import {parseTries, runProbe} from '../../../freezer/cli/doctor/probe.js';

const names =
	'ptrace-child ptrace process-vm-readv pidfd-getfd kcmp user-namespace pid-namespace mount-namespace time-namespace own-pids host-pids mm-map anon-name pagemap-scan'.split(
		' ',
	);
const EPERM = 1;
const host: Host = {
	kernel: '6.1.0',
	uid: 1000,
	yama: undefined,
	usernsClone: undefined,
	maxUserNamespaces: 1000,
	appArmorRestrictsUserns: false,
	overcommit: 0,
	hugePages: 'madvise',
	container: false,
	seccompFilters: 0,
	nodeHasAddressSpaceLimit: false,
};

const tries = (refused: readonly string[]) => new Map(names.map((name) => [name, refused.includes(name) ? EPERM : 0]));
const find = (refused: readonly string[], changes: Partial<Host>, id: string) =>
	judge(tries(refused), {...host, ...changes}).find((finding) => finding.id === id)!;

test('everything is tried', (t) => {
	t.deepEqual([...runProbe().keys()].sort(), [...names].sort());
});

test('what the probe prints is read line by line', (t) => {
	t.deepEqual(
		[...parseTries('ptrace 1\nown-pids 0\nnot a try\n')],
		[
			['ptrace', 1],
			['own-pids', 0],
		],
	);
});

test('where everything works nothing needs a remedy', (t) => {
	t.true(judge(tries([]), host).every((finding) => finding.ok));
});

test('under Yama 1 the first remedy is frore run, the last a setting for all', (t) => {
	const {ok, need, remedies, detail} = find(['ptrace'], {yama: 1}, 'ptrace');
	t.false(ok);
	t.is(need, 'required');
	t.is(detail, 'operation not permitted (EPERM)');
	t.regex(remedies[0]!, /frore run/);
	t.regex(remedies.at(-1)!, /sysctl kernel.yama.ptrace_scope=0/);
});

test('under Yama 3 there is no remedy but a boot', (t) => {
	t.regex(find(['ptrace'], {yama: 3}, 'ptrace').remedies.join(), /next boot/);
});

test('where AppArmor restricts user namespaces a capability on the file comes before the sysctl', (t) => {
	const {remedies, need} = find(['own-pids', 'host-pids'], {appArmorRestrictsUserns: true}, 'own-pids');
	t.is(need, 'required');
	t.regex(remedies[0]!, /setcap cap_checkpoint_restore/);
	t.true(
		remedies.findIndex((text) => text.includes('AppArmor')) < remedies.findIndex((text) => text.includes('sysctl')),
	);
});

test('who may choose pids here needs no namespaces', (t) => {
	t.is(find(['own-pids'], {}, 'own-pids').need, 'useful');
});
