/** What has been measured: rows with their goals, points of curves, and what could not be measured. */
import {type Row, type RowId, rows} from './goals.js';
import {digits} from './stats.js';

export const charts = {
	'pause-size': {title: 'Pause, by resident memory', x: 'size'},
	'pause-threads': {title: 'Pause, by threads', x: 'count'},
	'pause-processes': {title: 'Pause, by processes', x: 'count'},
	'thaw-size': {title: 'Thaw, by resident memory', x: 'size'},
	'thaw-threads': {title: 'Thaw, by threads', x: 'count'},
	'thaw-processes': {title: 'Thaw, by processes', x: 'count'},
} as const;

export type ChartId = keyof typeof charts;

export interface Point {
	readonly chart: ChartId;
	readonly tool: string;
	/** MiB, or how many. */
	readonly x: number;
	/** Milliseconds: the median. */
	readonly ms: number;
	readonly rounds: number;
	/** Milliseconds: the pause as the tool itself tells it. */
	readonly own?: number;
	/** Milliseconds: the whole command. */
	readonly whole?: number;
	/** The share of that in which the target ran: 1 less the sum of its gaps above a millisecond. */
	readonly ran?: number;
}

export interface Measured {
	readonly row: RowId;
	/** 'root' or 'ordinary user'. */
	readonly who: string;
	readonly value: number;
	readonly rounds: number;
	readonly detail?: string;
}

/** A tool, or what else, that could not be measured. */
export interface Absence {
	readonly name: string;
	readonly why: string;
	/** Of the benchmark, in which that was found. */
	readonly part: string;
}

export interface Results {
	machine: Record<string, string>;
	points: Point[];
	rows: Measured[];
	absent: Absence[];
}

export const asText = ({unit}: Row, value: number): string =>
	unit === 'ratio' ? digits(value) : `${digits(value)} ${unit}`;

const samePoint = (a: Point) => (b: Point) => a.chart === b.chart && a.tool === b.tool && a.x === b.x;
const sameRow = (a: Measured) => (b: Measured) => a.row === b.row && a.who === b.who;

/**
 * New figures in the place of old ones for the same thing.
 * @param parts that were measured now: what was missing in them is told anew, or is there
 */
export function merged(old: Results, now: Results, parts: readonly string[]): Results {
	const measured = (tool: string) => now.points.some((point) => point.tool === tool);
	const stillAbsent = old.absent.filter(
		({name, part}) => !parts.includes(part) && !measured(name) && !now.absent.some((one) => one.name === name),
	);
	return {
		machine: {...old.machine, ...now.machine},
		points: [...old.points.filter((point) => !now.points.some(samePoint(point))), ...now.points],
		rows: [...old.rows.filter((row) => !now.rows.some(sameRow(row))), ...now.rows],
		absent: [...stillAbsent, ...now.absent],
	};
}

/** Says each figure as soon as it is known, and keeps it. */
export class Report {
	readonly results: Results;
	/** That is being measured. */
	part = '';

	constructor(
		machine: Record<string, string>,
		private readonly say: (line: string) => void = console.log,
	) {
		this.results = {machine, points: [], rows: [], absent: []};
	}

	point(point: Point): void {
		this.results.points.push(point);
		const own = point.own === undefined ? '' : `  (itself: ${digits(point.own)} ms)`;
		const whole = point.whole === undefined ? '' : `  whole: ${digits(point.whole)} ms`;
		const ran = point.ran === undefined ? '' : `, ${Math.round(point.ran * 100)} % of it running`;
		const name = `${point.chart} ${point.x}`.padEnd(22);
		this.say(
			`${name}  ${point.tool.padEnd(14)}  ${digits(point.ms).padStart(8)} ms  of ${point.rounds}${own}${whole}${ran}`,
		);
	}

	row(row: RowId, value: number, {who, rounds, detail}: {who: string; rounds: number; detail?: string}): void {
		this.results.rows.push({row, who, value, rounds, ...(detail === undefined ? {} : {detail})});
		const words = detail === undefined ? '' : `  ${detail}`;
		this.say(`${rows[row].what.padEnd(62)}  ${asText(rows[row], value).padStart(10)}  ${who}${words}`);
	}

	missing(name: string, why: string): void {
		this.results.absent.push({name, why, part: this.part});
		this.say(`${name} is left out: ${why}`);
	}
}
