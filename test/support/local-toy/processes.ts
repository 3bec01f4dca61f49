import { readdirSync, readFileSync } from "node:fs";

/** Process ids of all descendants of a process, by Linux's /proc. */
export const descendants = (pid: number): number[] => {
	const parents = new Map<number, number>();
	for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
		try {
			const stat = readFileSync(`/proc/${name}/stat`, "utf8");
			// The name, in parentheses, may hold anything; after it come the state and the parent.
			parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
		} catch {
			// It ended in the meantime.
		}
	}
	const of = (parent: number): number[] =>
		[...parents].filter(([, its]) => its === parent).flatMap(([child]) => [child, ...of(child)]);
	return of(pid);
};

/** Whether the process runs (one that ended and was not waited for does not). */
export const isRunning = (pid: number): boolean => {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
		return stat.slice(stat.lastIndexOf(")") + 2)[0] !== "Z";
	} catch {
		return false;
	}
};
