/** Why a plan cannot be made, where each figure by itself is in its range. */
export type PlanProblem = "noCallTime" | "tooMuchLoad" | "tooManyHosts" | "ownedPriceMissing";

/** A plan that cannot be made. What it says is about fields of the request; how to mend it, each interface says in its own words. */
export class PlanError extends Error {
	override readonly name = "PlanError";
	readonly problem: PlanProblem;
	/** Field of the request. */
	readonly path: string;

	constructor(problem: PlanProblem, path: string, message: string) {
		super(message);
		this.problem = problem;
		this.path = path;
	}
}
