/** The configuration cannot be used; says all mistakes at once. Remedy: mend the deployment and start again. */
export class ConfigError extends Error {
	override readonly name = "ConfigError";
	readonly mistakes: string[];
	constructor(mistakes: string[]) {
		super(`The configuration has ${mistakes.length} mistake(s):\n  ${mistakes.join("\n  ")}`);
		this.mistakes = mistakes;
	}
}
