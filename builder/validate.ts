/** Is a snapshot consistent in itself? The stub walks its tables by row numbers, so a wrong one must not reach it. */
import {references, stretches} from './format/references.js';
import {constants, NONE, type Snapshot, type TableName} from './format/schema.js';

const {VMA, KIND, TASK} = constants;
const PAGE = 4096n;
/** Where user space ends, and beside each window in the stage: as engine/validate.c has them. */
const TASK_END = 0x7fff_ffff_f000n;
const WINDOW_ROOM = 4n << 20n;
/** More tasks than a resume can count. */
const TASK_LIMIT = 0xffff;

/** The kind table of each KIND_*: the name of the constant in lower case. */
const kindTables = Object.fromEntries(
	Object.entries(KIND).map(([name, value]) => [value, name.toLowerCase() as TableName]),
);

type AnyRows = Record<string, number>[];

function* wrongReferences(snapshot: Snapshot): Generator<string> {
	for (const [name, fields] of Object.entries(references)) {
		for (const [index, row] of (snapshot[name as TableName] as unknown as AnyRows).entries()) {
			for (const [field, reference] of Object.entries(fields as Record<string, string>)) {
				const optional = reference.endsWith('?');
				const target = (optional ? reference.slice(0, -1) : reference) as TableName;
				const value = row[field]!;
				if (value < snapshot[target].length || (optional && value === NONE)) continue;
				yield `${name}[${index}].${field} is row ${value} of ${target}, which has ${snapshot[target].length}`;
			}
		}
	}
}

function* wrongStretches(snapshot: Snapshot): Generator<string> {
	for (const [name, list] of Object.entries(stretches)) {
		for (const [index, row] of (snapshot[name as TableName] as unknown as AnyRows).entries()) {
			for (const {first, count, of} of list) {
				if (row[count] === 0 || row[first]! + row[count]! <= snapshot[of].length) continue;
				yield `${name}[${index}] has ${row[count]} rows of ${of} from ${row[first]}, which has ${snapshot[of].length}`;
			}
		}
	}
}

function* wrongKinds({description, ...tables}: Snapshot): Generator<string> {
	for (const [index, {kind, row}] of description.entries()) {
		const name = kindTables[kind];
		const rows = name === undefined ? undefined : (tables as Partial<Snapshot>)[name];
		if (!rows) yield `description[${index}] is of kind ${kind}, which there is not`;
		else if (row >= rows.length) yield `description[${index}] is row ${row} of ${name}, which has ${rows.length}`;
	}
}

const hex = (address: bigint): string => `0x${address.toString(16)}`;

const arePages = ({start, end}: {start: bigint; end: bigint}): boolean =>
	start < end && end <= TASK_END && start % PAGE === 0n && end % PAGE === 0n;

function hasSource({image, content}: Snapshot, {kind, source}: {kind: number; source: number}): boolean {
	if (kind === VMA.ANON) return true;
	const rows = kind === VMA.FILE_PRIVATE || kind === VMA.FILE_SHARED ? image : content;
	return kind <= VMA.CONTENT_PRIVATE && source < rows.length;
}

function* wrongMappings(snapshot: Snapshot): Generator<string> {
	const {vma} = snapshot;
	for (const [index, row] of vma.entries()) {
		const {start, end, mm} = row;
		if (!arePages(row)) yield `vma[${index}] is ${hex(start)}-${hex(end)}, which are no pages`;
		if (!hasSource(snapshot, row)) yield `vma[${index}] maps nothing that there is`;
		const next = vma[index + 1];
		if (next && (next.mm < mm || (next.mm === mm && next.start < end))) {
			yield `vma[${index + 1}] begins at ${hex(next.start)}, before vma[${index}] ends at ${hex(end)}`;
		}
	}
}

/** A mapping takes its part out of its window, so it lies within it. */
function* wrongWindows(snapshot: Snapshot): Generator<string> {
	const {vma, window} = snapshot;
	let span = 0n;
	for (const [index, row] of window.entries()) {
		const {start, end} = row;
		if (!arePages(row)) yield `window[${index}] is ${hex(start)}-${hex(end)}`;
		if (!hasSource(snapshot, row)) yield `window[${index}] maps nothing that there is`;
		span += end - start + WINDOW_ROOM;
	}
	if (span >= TASK_END) yield 'all windows together are larger than an address space';
	for (const [index, {start, end, window: row}] of vma.entries()) {
		const part = window[row];
		if (part && (start < part.start || end > part.end)) yield `vma[${index}] reaches over its window[${row}]`;
	}
}

/** The stub looks for them by halving. */
function* wrongSames({same, window}: Snapshot): Generator<string> {
	for (const [index, row] of same.entries()) {
		const {start, end, mm} = row;
		const whole = window[row.window];
		if (!arePages(row) || (whole && (start < whole.start || end > whole.end))) {
			yield `same[${index}] is ${hex(start)}-${hex(end)}`;
		}
		const next = same[index + 1];
		if (next && (next.mm < mm || (next.mm === mm && next.start < end))) yield `same[${index + 1}] is out of order`;
	}
}

/** What is staged must find room there. */
function* wrongSpaces({mm, content}: Snapshot): Generator<string> {
	for (const [index, {vdso, vdso_size, vvar, vvar_size}] of mm.entries()) {
		if (vdso + vdso_size > TASK_END || vvar + vvar_size > TASK_END) yield `mm[${index}] has its vdso at ${hex(vdso)}`;
	}
	if (content.reduce((sum, {size}) => sum + size + PAGE, 0n) >= TASK_END) {
		yield 'all contents together are larger than an address space';
	}
}

/** What forks a task is its parent, or a child of that; and so on up to the root. */
function* wrongTree({machine, task}: Snapshot): Generator<string> {
	const {ZOMBIE, EARLY, SHARES_FILES, SHARES_FS} = TASK;
	const root = machine[0]?.root_task;
	if (task.length >= TASK_LIMIT) yield `there are ${task.length} tasks, which are too many`;
	for (const [index, {maker, parent, flags, nthreads}] of task.entries()) {
		if (flags & ZOMBIE ? flags & (SHARES_FILES | SHARES_FS) : nthreads === 0) {
			yield `task[${index}] lives without a thread, or shares after its end`;
		}
		if (index === root) {
			const isFirst = maker === NONE && parent === NONE && !(flags & (ZOMBIE | EARLY | SHARES_FILES | SHARES_FS));
			if (!isFirst) yield `task[${index}] is the root, and made by another one`;
			continue;
		}
		const isChild = parent !== NONE && (parent === maker || parent === task[maker]?.parent);
		let at = maker;
		for (let steps = 0; at !== root && steps < task.length; steps++) at = task[at]?.maker ?? NONE;
		if (!isChild || at !== root) yield `task[${index}] is forked by nobody`;
	}
}

/** What is wrong with the snapshot, one line each; nothing when it is consistent. */
export function* inconsistencies(snapshot: Snapshot): Generator<string> {
	const {machine} = snapshot;
	if (machine.length !== 1) yield `machine has ${machine.length} rows, not one`;
	yield* wrongReferences(snapshot);
	yield* wrongStretches(snapshot);
	yield* wrongKinds(snapshot);
	yield* wrongMappings(snapshot);
	yield* wrongWindows(snapshot);
	yield* wrongSames(snapshot);
	yield* wrongSpaces(snapshot);
	yield* wrongTree(snapshot);
}
