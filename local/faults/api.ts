import type { HttpAnswer, HttpEvent } from "../lambda/http-event.ts";
import { FaultDraws } from "./draws.ts";
import type { ApiFaults, FaultCounts } from "./plan.ts";

/** An answer, or none: the connection is cut. */
export type DeliveredHttp = HttpAnswer | "cut";

const SYNC = "POST /v1/hosts/{hostId}/sync";
const CHANGING = new Set(["POST", "PUT", "PATCH", "DELETE"]);

const REFUSED: HttpAnswer = {
	status: 503,
	headers: { "content-type": "application/json" },
	body: Buffer.from(JSON.stringify({ message: "Service Unavailable" })),
};

/** The fault layer between the callers of the API and the functions. */
export class FaultyApi {
	faults: ApiFaults;
	readonly #random: () => number;
	readonly #draws: FaultDraws;
	/** Syncs to be executed again once a newer one was answered, by host. */
	readonly #older = new Map<string, HttpEvent>();

	constructor(faults: ApiFaults, random: () => number) {
		this.faults = faults;
		this.#random = random;
		this.#draws = new FaultDraws(random, ["twins", "olderSeqs", "lostAnswers", "refused"]);
	}

	get counts(): FaultCounts {
		return this.#draws.counts;
	}

	/** @param execute runs the function; never throws */
	async handle(event: HttpEvent, execute: (event: HttpEvent) => Promise<HttpAnswer>): Promise<DeliveredHttp> {
		if (this.#draws.strikes(this.faults.refuseRate, "refused")) return REFUSED;
		const answer = event.routeKey === SYNC ? await this.#sync(event, execute) : await execute(event);
		const changes = CHANGING.has(event.requestContext.http.method);
		return changes && this.#draws.strikes(this.faults.lostAnswerRate, "lostAnswers") ? "cut" : answer;
	}

	async #sync(event: HttpEvent, execute: (event: HttpEvent) => Promise<HttpAnswer>): Promise<HttpAnswer> {
		const hostId = event.pathParameters?.["hostId"] ?? "";
		const twins = this.#draws.strikes(this.faults.twinRate, "twins");
		const answers = [execute(event), ...(twins ? [execute(event)] : [])];
		// The caller has one connection: it gets one of the answers, and the other execution goes on by itself.
		const answer = await (answers[Math.floor(this.#random() * answers.length)] as Promise<HttpAnswer>);
		if (answer.status !== 200) return answer;
		const older = this.#older.get(hostId);
		if (older && older.body !== event.body) {
			this.#older.delete(hostId);
			this.#draws.count("olderSeqs");
			await execute(older);
		}
		if (this.#draws.chance(this.faults.olderSeqRate)) this.#older.set(hostId, event);
		return answer;
	}
}
