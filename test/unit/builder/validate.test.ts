import test from 'ava';
import {constants, NONE, type Snapshot} from '../../../builder/format/schema.js';
import {inconsistencies} from '../../../builder/validate.js';
import {fullSnapshot} from '../../helpers/snapshots.js';

const wrong = (change: (snapshot: Snapshot) => void): string[] => {
	const snapshot = fullSnapshot(2);
	change(snapshot);
	return [...inconsistencies(snapshot)];
};

test('a consistent snapshot is left in peace', (t) => {
	t.deepEqual(
		wrong((snapshot) => {
			snapshot.task[0]!.parent = NONE;
		}),
		[],
	);
});

test('a row that there is not is named', (t) => {
	t.deepEqual(
		wrong(({fd}) => {
			fd[1]!.description = 7;
		}),
		['fd[1].description is row 7 of description, which has 2'],
	);
	t.deepEqual(
		wrong(({task}) => {
			task[0]!.mm = NONE;
		}),
		['task[0].mm is row 4294967295 of mm, which has 2'],
	);
});

test('threads that there are not are named', (t) => {
	t.deepEqual(
		wrong(({task}) => {
			task[1]!.nthreads = 5;
		}),
		['task[1] has 5 rows of thread from 0, which has 2'],
	);
});

test('a description whose kind table lacks its row is named', (t) => {
	t.deepEqual(
		wrong(({description}) => {
			description[0]!.kind = constants.KIND.EVENTFD;
			description[0]!.row = 2;
		}),
		['description[0] is row 2 of eventfd, which has 2'],
	);
	t.deepEqual(
		wrong(({description}) => {
			description[0]!.kind = 99;
		}),
		['description[0] is of kind 99, which there is not'],
	);
});

test('mappings that overlap, stand in no order or map nothing are named', (t) => {
	t.deepEqual(
		wrong(({vma}) => {
			vma[0]!.end = vma[1]!.start + 0x1000n;
			vma[0]!.window = NONE;
		}),
		['vma[1] begins at 0x20000, before vma[0] ends at 0x21000'],
	);
	t.deepEqual(
		wrong(({vma}) => {
			vma[1]!.kind = constants.VMA.FILE_PRIVATE;
			vma[1]!.source = NONE;
		}),
		['vma[1] maps nothing that there is'],
	);
	t.deepEqual(
		wrong(({vma}) => {
			vma[1]!.end += 1n;
			vma[1]!.window = NONE;
		}),
		['vma[1] is 0x20000-0x22001, which are no pages'],
	);
});

test('a mapping beyond its window, and common pages out of order, are named', (t) => {
	t.deepEqual(
		wrong(({vma}) => {
			vma[0]!.end += 0x1000n;
		}),
		['vma[0] reaches over its window[0]'],
	);
	t.deepEqual(
		wrong(({same}) => {
			same.reverse();
		}),
		['same[1] is out of order'],
	);
});

test('tasks that nobody forks, and contents larger than an address space, are named', (t) => {
	t.deepEqual(
		wrong(({task}) => {
			task[1]!.maker = 1;
		}),
		['task[1] is forked by nobody'],
	);
	t.deepEqual(
		wrong(({task}) => {
			task[0]!.flags = constants.TASK.ZOMBIE;
		}),
		['task[0] is the root, and made by another one'],
	);
	t.deepEqual(
		wrong(({task}) => {
			task[1]!.nthreads = 0;
		}),
		['task[1] lives without a thread, or shares after its end'],
	);
	t.deepEqual(
		wrong(({content}) => {
			content[1]!.size = 1n << 47n;
		}),
		['all contents together are larger than an address space'],
	);
	t.deepEqual(
		wrong(({mm}) => {
			mm[1]!.vdso_size = 1n << 47n;
		}),
		['mm[1] has its vdso at 0x7fff0000'],
	);
});
