/** Keeps what was told to the control plane apart from what is so: a change is told in the next request, and again until one was answered. */
export class Told<T> {
	#acknowledged: string;
	/** What the request under way says; `` if nothing. */
	#inRequest = "";

	/** @param known what the control plane takes for granted before it is told anything */
	constructor(known?: T) {
		this.#acknowledged = known === undefined ? "" : JSON.stringify(known);
	}

	isNews(current: T | undefined): boolean {
		return current !== undefined && JSON.stringify(current) !== this.#acknowledged;
	}

	/** For the next request; undefined where there is nothing new to say. */
	forRequest(current: T | undefined, always = false): T | undefined {
		const said = always || this.isNews(current) ? current : undefined;
		this.#inRequest = said === undefined ? "" : JSON.stringify(said);
		return said;
	}

	/** That request was answered. */
	acknowledged(): void {
		if (this.#inRequest !== "") this.#acknowledged = this.#inRequest;
		this.#inRequest = "";
	}
}
