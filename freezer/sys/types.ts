/** Numbers that mean something only in one place: the compiler keeps them apart. */

/** An address in the target. Never a pointer here. */
export type RemoteAddr = bigint & {readonly __brand: 'RemoteAddr'};
/** A process id in the pid namespace of the freezer. */
export type Pid = number & {readonly __brand: 'Pid'};
/** A thread id in the pid namespace of the freezer. */
export type Tid = number & {readonly __brand: 'Tid'};
/** A descriptor of the freezer. */
export type Fd = number & {readonly __brand: 'Fd'};

export const addr = (value: bigint | number): RemoteAddr => BigInt.asUintN(64, BigInt(value)) as RemoteAddr;
export const asPid = (value: number): Pid => value as Pid;
export const asTid = (value: number): Tid => value as Tid;
export const asFd = (value: number): Fd => value as Fd;

export const PAGE_SIZE = 4096;
