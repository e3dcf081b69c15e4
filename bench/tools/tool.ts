/** A program that freezes and resumes others, as the benchmark drives it. */
import type {Beater, Scene} from '../scene.js';

/** What stands in the way of a tool that was looked for. */
export class Absent extends Error {}

export interface Frozen {
	/** Resumes the target; ends when the target ends. */
	readonly command: string[];
	/** Why the last run of the command has failed, if it has told that somewhere. */
	readonly failure?: () => string | undefined;
	/** Removes what was written. */
	remove(): void;
}

export interface Tool {
	readonly name: string;
	/** Its version, for the record; throws Absent. */
	version(scene: Scene): Promise<string>;
	/** Put in front of a target's command, for tools under which it has to be started. */
	readonly prefix?: (scene: Scene) => string[];
	/** Writes the target, which goes on running, to a tmpfs. @returns milliseconds for which it says that it stopped it, if it says so */
	readonly pause?: (scene: Scene, target: Beater) => Promise<number | undefined>;
	/** The same, and ends the target. */
	readonly freeze?: (scene: Scene, target: Beater) => Promise<Frozen>;
}
