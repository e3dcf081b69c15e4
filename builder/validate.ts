/** Is a snapshot consistent in itself? The stub walks its tables by row numbers, so a wrong one must not reach it. */
import {references, stretches} from './format/references.js';
import {constants, NONE, type Snapshot, type TableName} from './format/schema.js';

const {VMA, KIND} = constants;
const PAGE = 4096n;

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

function* wrongMappings({vma, image, content}: Snapshot): Generator<string> {
	const sources = {
		[VMA.FILE_PRIVATE]: image,
		[VMA.FILE_SHARED]: image,
		[VMA.CONTENT_SHARED]: content,
		[VMA.CONTENT_PRIVATE]: content,
	} as Record<number, unknown[] | undefined>;
	for (const [index, {start, end, kind, source, mm}] of vma.entries()) {
		if (start >= end || start % PAGE !== 0n || end % PAGE !== 0n) {
			yield `vma[${index}] is ${hex(start)}-${hex(end)}, which are no pages`;
		}
		const rows = sources[kind];
		if (kind > VMA.CONTENT_PRIVATE || (rows && source >= rows.length)) yield `vma[${index}] maps nothing that there is`;
		const next = vma[index + 1];
		if (next && (next.mm < mm || (next.mm === mm && next.start < end))) {
			yield `vma[${index + 1}] begins at ${hex(next.start)}, before vma[${index}] ends at ${hex(end)}`;
		}
	}
}

/** A mapping takes its part out of its window, so it lies within it. */
function* wrongWindows({vma, window}: Snapshot): Generator<string> {
	for (const [index, {start, end}] of window.entries()) {
		if (start >= end || start % PAGE !== 0n || end % PAGE !== 0n) yield `window[${index}] is ${hex(start)}-${hex(end)}`;
	}
	for (const [index, {start, end, window: row}] of vma.entries()) {
		const part = window[row];
		if (part && (start < part.start || end > part.end)) yield `vma[${index}] reaches over its window[${row}]`;
	}
}

/** The stub looks for them by halving. */
function* wrongSames({same}: Snapshot): Generator<string> {
	for (const [index, {start, end, mm}] of same.entries()) {
		if (start >= end || start % PAGE !== 0n || end % PAGE !== 0n) yield `same[${index}] is ${hex(start)}-${hex(end)}`;
		const next = same[index + 1];
		if (next && (next.mm < mm || (next.mm === mm && next.start < end))) yield `same[${index + 1}] is out of order`;
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
}
