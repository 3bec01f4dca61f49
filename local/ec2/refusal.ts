/** What EC2 says no with: its code, its words and the status of the answer. */
export class Refusal extends Error {
	override readonly name = "Refusal";
	readonly code: string;
	readonly status: number;
	constructor(code: string, message: string, status = 400) {
		super(message);
		this.code = code;
		this.status = status;
	}
}
