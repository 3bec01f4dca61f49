/** A price that cannot be used. It names the product, the unit, and how to mend it. */
export class PriceError extends Error {
	override readonly name = "PriceError";
	/** One line for each mistake. */
	readonly mistakes: readonly { path: string; message: string }[];
	readonly remedy: string;

	constructor(message: string, remedy: string, mistakes: readonly { path: string; message: string }[] = []) {
		super(message);
		this.remedy = remedy;
		this.mistakes = mistakes;
	}
}
